"""Files and folders: atomic writes, locks, text and JSON of unknown origin, names and places."""
