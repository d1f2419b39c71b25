"""Benchmarks: real processes, real requests, ratios within one run. `make bench` prints rows; nothing here is timed inside a test."""
