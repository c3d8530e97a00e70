"""Django's own backend for PostgreSQL, with what a busy server of short requests gains by."""
