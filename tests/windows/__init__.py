"""Whole runs of gpudoctor under a Windows Python; skipped where there is none."""
