"""Mapping: registration of a dog to the made-up standard `musterverfahren 1.0`."""
