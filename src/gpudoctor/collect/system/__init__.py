"""What lies around an environment: files, variables, toolkits, compiler, loader."""
