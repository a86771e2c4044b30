"""Benchmark suites: load, build, list, export, share and verify them. Nothing here imports torch."""

from rses.suites.format import COLUMNS, Manifest, Sample, Suite
from rses.suites.registry import list_suites, load_suite
from rses.suites.sharing import export_suite, pull_suite, push_suite, to_hf
from rses.suites.verify import verify_files, verify_suite, write_manifest

__all__ = [
    "COLUMNS", "Manifest", "Sample", "Suite", "export_suite", "list_suites", "load_suite", "pull_suite", "push_suite",
    "to_hf", "verify_files", "verify_suite", "write_manifest",
]  # fmt: skip
