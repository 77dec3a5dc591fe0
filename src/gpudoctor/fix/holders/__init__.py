"""Who holds files that a fix would change, found before the first change."""
