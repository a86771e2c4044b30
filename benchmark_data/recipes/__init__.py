"""One module a recipe: each rebuilds something that is embedded in the repository or shown in the docs."""
