"""The cast of the writer's tests is that of the testing tools: throw-away keys, a moment, a usual letter."""

from tests.unit.testing.conftest import ec_author, letter, now, pki, randomness

__all__ = ["ec_author", "letter", "now", "pki", "randomness"]
