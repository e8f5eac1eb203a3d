"""Proves that a mapping is a pure function: what its code may reach, what it may change, and what two runs show."""
