"""What is done to groups."""
