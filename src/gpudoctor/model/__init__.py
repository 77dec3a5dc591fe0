"""Facts, findings, prescriptions and reports: frozen values that each layer hands to the next."""
