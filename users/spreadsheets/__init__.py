"""Spreadsheets of people: what stands in them, and what it would change."""
