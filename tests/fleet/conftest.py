"""The fleet's fixtures, for every test of this folder."""

from tests.fakes.fleet_fixtures import broker, collector, machines, operator

__all__ = ["broker", "collector", "machines", "operator"]
