"""One file a format: from its text to a `Document`."""
