"""How `kontext-mini` and its RegionRoute experts are made: data, autoencoder, flow model, export, evaluation."""
