"""RegionRoute: regional style editing by supervised style-token attention (arXiv 2602.19254)."""
