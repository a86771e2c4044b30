"""Adapters for other people's methods, classical stylisers, and the reference rows."""
