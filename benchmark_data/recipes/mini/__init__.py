"""Recipe of the embedded weights ``rses-mini``: data, training, evaluation; see ``models/rses-mini/README.md``."""
