"""Benchmark suites: load, list, export and verify them. Nothing here imports torch."""

from rses.suites.export import export_suite
from rses.suites.format import COLUMNS, Manifest, Sample, Suite
from rses.suites.registry import list_suites, load_suite
from rses.suites.verify import verify_files, verify_suite, write_manifest

__all__ = [
    "COLUMNS",
    "Manifest",
    "Sample",
    "Suite",
    "export_suite",
    "list_suites",
    "load_suite",
    "verify_files",
    "verify_suite",
    "write_manifest",
]
