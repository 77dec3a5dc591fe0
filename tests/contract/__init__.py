"""What programs outside rely on, stated as tests: commands, exit codes, reports, names."""
