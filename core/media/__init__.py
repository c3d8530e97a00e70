"""Stored files on the wire: uploads come in, links go out, and what a link leads to."""
