"""The metrics as torchmetrics objects: ``update``, ``compute``, ``reset``, collections, distributed sync."""

from rses.metrics.base import MeanMetric
from rses.metrics.masked import BoundaryMSE, MaskedLPIPS, MaskedMSE, MaskedPSNR, MaskedSSIM, RegionalStyleMatching

__all__ = ["BoundaryMSE", "MaskedLPIPS", "MaskedMSE", "MaskedPSNR", "MaskedSSIM", "MeanMetric", "RegionalStyleMatching"]
