"""A third party's method for ``rses bench``: brighten the whole picture, whatever the prompt says."""

import numpy as np

from rses.methods import MethodCard


class Brighten:
    """Your model goes here.

    Args:
        factor: Options of the constructor become ``--set factor=1.5``.
    """

    def __init__(self, factor: float = 1.3):
        self._factor = factor
        self.card = MethodCard(
            name="brighten", title="brighten everything", mask_used=False, max_batch=8, settings={"factor": factor}
        )

    def load(self, device: str, dtype: str) -> None:
        """Load weights onto the device here; it is called once, before the first edit."""

    def edit(self, batch):
        """Return one uint8 picture per sample, at its source's size; ``sample.seed`` seeds what is random."""
        return [np.clip(sample.image * self._factor, 0, 255).astype(np.uint8) for sample in batch]
