"""Running an installer so that nothing but the user and the prescription steers it."""
