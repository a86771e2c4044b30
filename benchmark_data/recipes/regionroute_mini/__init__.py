"""How the four experts of `kontext-mini` are made."""
