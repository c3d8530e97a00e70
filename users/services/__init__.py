"""Writes about people that carry a rule or a side effect."""
