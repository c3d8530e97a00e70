"""What is done in conversations."""
