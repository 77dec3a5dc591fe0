"""Words that several rooms share: versions, platforms, shells."""
