"""An engine that replaces itself by another one when it fails, without losing a frame."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from kiosk.inference.base import Crops, Engine, EngineError, Probabilities
from kiosk.inference.manifest import Manifest


class FallbackEngine:
    """Runs `first` until it fails, and then the engine that `reserve` loads.

    Both engines have the same age groups, so the caller need not notice the change.
    """

    def __init__(self, first: Engine, reserve: Callable[[], Engine] | None = None, fault: str | None = None) -> None:
        """`fault` is why `first` is already a replacement. Without `reserve`, errors of `first` are raised."""
        self._engine = first
        self._reserve = reserve
        self._fault = fault

    @property
    def name(self) -> str:
        """The name of the engine that runs now."""
        return self._engine.name

    @property
    def manifest(self) -> Manifest:
        """The manifest of the engine that runs now."""
        return self._engine.manifest

    @property
    def fault(self) -> str | None:
        """The reason why another engine than the requested one runs; None if the requested one runs."""
        return self._fault

    def infer(self, crops: Crops) -> Probabilities:
        """Returns the probabilities of the crops. Raises `EngineError` if the engine and its replacement fail."""
        try:
            return self._engine.infer(crops)
        except EngineError as error:
            if self._reserve is None:
                raise
            self._replace_engine(self._reserve(), error)
        return self._engine.infer(crops)

    def close(self) -> None:
        """Closes the engine that runs now. No replacement is loaded afterwards."""
        self._reserve = None
        self._engine.close()

    def _replace_engine(self, engine: Engine, error: EngineError) -> None:
        failed, self._engine, self._reserve = self._engine, engine, None
        instead = describe(engine, failed.manifest)
        self._fault = f"{failed.name}: {error}; running {instead} until the kiosk is started again"
        with contextlib.suppress(EngineError):  # an engine that has failed may also fail to clean up
            failed.close()


def describe(engine: Engine, instead_of: Manifest) -> str:
    """Returns the engine's name for a message, and says so if it runs another network than `instead_of`."""
    same = engine.manifest.network == instead_of.network
    return engine.name if same else f"{engine.name} with another network, the kiosk's own,"
