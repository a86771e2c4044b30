"""The scorer: samples in, numbers out."""
