"""What a run looks like to a reader: tables in five formats, comparisons, and one self-contained page."""
