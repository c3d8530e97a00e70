"""Conversations of groups."""
