"""The only place that starts a process: bounded in time and output, never waited for blindly."""
