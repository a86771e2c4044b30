"""From folders, suites and metadata to samples that can be scored."""
