"""Benchmarks: real processes, real requests, ratios within one run. `make bench` prints rows."""
