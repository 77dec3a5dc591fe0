"""Reports that are not the report on one machine: a scan, a plan, a fact sheet, a page."""
