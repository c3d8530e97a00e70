"""Reading the audit log over the API; ``core.audit`` alone writes it."""
