"""Measured figures of the machine it runs on; never part of the tests. Run by `make bench`."""
