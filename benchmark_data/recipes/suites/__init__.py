"""Rebuild the embedded suites: `python -m benchmark_data.recipes.suites --out benchmark_data/suites`."""
