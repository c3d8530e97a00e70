"""What is answered about people: to themselves, and to programme admins."""
