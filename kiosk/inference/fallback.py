"""An engine that hands on to another one when it fails, in the middle of a frame if need be."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from kiosk.inference.base import Crops, Engine, EngineError, Probabilities
from kiosk.inference.manifest import Manifest


class FallbackEngine:
    """Runs `first` until it fails, and from then on what `reserve` loads.

    Both know the same age groups, so whoever holds this engine goes on as if nothing had happened.
    """

    def __init__(self, first: Engine, reserve: Callable[[], Engine] | None = None, fault: str | None = None) -> None:
        """`fault` says why `first` is itself a reserve. Without a `reserve`, its errors are raised."""
        self._engine = first
        self._reserve = reserve
        self._fault = fault

    @property
    def name(self) -> str:
        """What runs now."""
        return self._engine.name

    @property
    def manifest(self) -> Manifest:
        """Of what runs now."""
        return self._engine.manifest

    @property
    def fault(self) -> str | None:
        """Why something else runs than was asked for."""
        return self._fault

    def infer(self, crops: Crops) -> Probabilities:
        """Crops → probabilities, by the first engine or by its reserve. Raises `EngineError` where both fail."""
        try:
            return self._engine.infer(crops)
        except EngineError as error:
            if self._reserve is None:
                raise
            self._hand_on(self._reserve(), error)
        return self._engine.infer(crops)

    def close(self) -> None:
        """Closes what runs now, and hands on no more."""
        self._reserve = None
        self._engine.close()

    def _hand_on(self, engine: Engine, error: EngineError) -> None:
        failed, self._engine, self._reserve = self._engine, engine, None
        instead = describe(engine, failed.manifest)
        self._fault = f"{failed.name}: {error}; running {instead} until the kiosk is started again"
        with contextlib.suppress(EngineError):  # what has failed may fail to clean up as well
            failed.close()


def describe(engine: Engine, instead_of: Manifest) -> str:
    """What runs now, and whether that is another network."""
    same = engine.manifest.network == instead_of.network
    return engine.name if same else f"{engine.name} with another network, the kiosk's own,"
