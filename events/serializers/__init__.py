"""Events on the wire."""
