"""The fleet's fixtures, for a machine that reports."""

from tests.fakes.fleet_fixtures import broker, collector, operator

__all__ = ["broker", "collector", "operator"]
