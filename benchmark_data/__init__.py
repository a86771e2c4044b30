"""Embedded suites and mini models, and the recipes that made them."""
