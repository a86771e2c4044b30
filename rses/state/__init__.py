"""Settings of the process: torch's, Pillow's and what a method may change, held at known values."""
