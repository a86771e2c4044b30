"""Training of experts: configuration, encoding, objective, checkpoints, the loop."""
