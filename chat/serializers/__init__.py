"""Conversations on the wire."""
