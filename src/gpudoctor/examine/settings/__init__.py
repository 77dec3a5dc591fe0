"""What counts: a project's settings, a policy, and what they require of a machine."""
