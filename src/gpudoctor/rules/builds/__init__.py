"""Whether the installed build of torch has code for the GPUs, and what of it lacks some."""
