"""Everything written for people to read: HTML pages from templates, charts, and tables in every text format."""
