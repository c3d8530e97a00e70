"""The doors to groups."""
