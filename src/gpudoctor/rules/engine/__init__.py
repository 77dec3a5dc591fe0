"""What every rule stands on: the case, the registry, the engine, the wording."""
