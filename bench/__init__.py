"""Benchmarks: one file per published figure, each beside a baseline measured in the same run."""
