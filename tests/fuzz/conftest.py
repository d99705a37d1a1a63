"""What the fuzz tests share with those of the fleet."""

from tests.ops.fleet_operator import operator

__all__ = ["operator"]
