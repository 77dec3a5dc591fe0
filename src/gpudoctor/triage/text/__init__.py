"""A text made plain: decoded, cut, cleaned, and without private details."""
