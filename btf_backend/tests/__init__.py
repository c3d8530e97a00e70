"""Tests of the whole: every route, every operation, and how a server starts."""
