"""Backups and their way back: the database as of one moment, and every file that it names."""
