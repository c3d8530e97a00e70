"""Proving who somebody is: sign-in, sessions, tokens."""
