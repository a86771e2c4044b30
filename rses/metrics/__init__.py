"""The metrics as torchmetrics objects: ``update``, ``compute``, ``reset``, collections, distributed sync."""

from rses.metrics.base import MeanMetric
from rses.metrics.boundary import BoundaryMSE
from rses.metrics.perceptual import MaskedLPIPS
from rses.metrics.pixel import MaskedMSE, MaskedPSNR
from rses.metrics.structural import MaskedSSIM
from rses.metrics.style import RegionalStyleMatching

__all__ = ["BoundaryMSE", "MaskedLPIPS", "MaskedMSE", "MaskedPSNR", "MaskedSSIM", "MeanMetric", "RegionalStyleMatching"]
