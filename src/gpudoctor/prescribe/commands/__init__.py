"""The commands that carry a change of wheels out, for each tool that may own an environment."""
