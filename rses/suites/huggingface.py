"""A suite as a `datasets.Dataset`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from datasets import Dataset, Features, Image, Value

from rses.suites.format import Suite, read_rows, read_suite
from rses.suites.parquet import sample_rows, text_columns
from rses.suites.verify import verify_suite

__all__ = ["to_hf"]


def to_hf(suite: Suite) -> Dataset:
    """Return a suite's samples with the images' bytes in the rows; see `Suite.to_hf`.

    Raises:
        InputError: The suite's files are not as ``suite.json`` declares.
    """
    verified = verify_suite(suite.root)
    texts = text_columns(read_rows(verified.root))
    features = Features(
        {name: Value("string") for name in texts}
        | {"tags": [Value("string")], "image": Image(), "mask": Image(mode="L")}
    )
    # The hash is there for the cache of `datasets`: another suite in the same folder is another data set.
    arguments = {"root": str(verified.root), "sha256": verified.sha256}
    return Dataset.from_generator(
        _generate, features=features, gen_kwargs=arguments, split="test", writer_batch_size=16
    )


def _generate(root: str, sha256: str) -> Iterator[dict[str, Any]]:
    del sha256
    yield from sample_rows(read_suite(Path(root)))
