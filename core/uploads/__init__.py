"""Stored files: the only room that touches the storage."""
