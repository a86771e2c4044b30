"""Training data: pairs of a source and a target that differ in the style of one object."""

from regionroute.data.builder import build_pairs
from regionroute.data.pairs import TrainingPair, read_pairs

__all__ = ["TrainingPair", "build_pairs", "read_pairs"]
