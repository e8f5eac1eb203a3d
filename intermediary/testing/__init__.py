"""What tests, demo and benchmarks need and the product does not: sealing, sample data, throw-away keys, fakes."""
