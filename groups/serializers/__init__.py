"""What is said of groups on the wire."""
