"""Text → facts and findings: the second opinion on a traceback, a pasted report, a dead command."""
