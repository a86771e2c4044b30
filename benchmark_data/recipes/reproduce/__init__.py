"""The reproduction: every configuration of the ablation trained, run and scored."""
