"""What a run leaves: journal, results, summary."""
