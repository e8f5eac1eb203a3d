"""The cast of the tests of XTA: throw-away keys and a moment."""

from tests.unit.testing.conftest import now, pki, randomness

__all__ = ["now", "pki", "randomness"]
