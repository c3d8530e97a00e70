"""Announcements over the API."""
