"""Uncertainty of means, of differences and of ranks.

Bootstrap intervals, paired tests, Holm's correction, rank intervals, Pareto layers. All random numbers come from a
fixed seed, so that the same samples give the same interval. Where several samples show one photograph, as in a suite
that asks for several styles of each, their errors move together: give ``clusters``, and photographs are resampled
and tested instead of samples.
"""

from rses.statistics.intervals import RESAMPLES, SEED, Interval, column_intervals, mean_interval, mean_intervals
from rses.statistics.paired import PairedDifference, holm, paired_difference, pairwise_p_values, pairwise_tests
from rses.statistics.pareto import pareto_layers
from rses.statistics.ranks import RankInterval, marks, rank_intervals, sure_order, toward_zero

__all__ = [
    "RESAMPLES",
    "SEED",
    "Interval",
    "PairedDifference",
    "RankInterval",
    "column_intervals",
    "holm",
    "marks",
    "mean_interval",
    "mean_intervals",
    "paired_difference",
    "pairwise_p_values",
    "pairwise_tests",
    "pareto_layers",
    "rank_intervals",
    "sure_order",
    "toward_zero",
]
