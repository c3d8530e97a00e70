"""What is done with announcements: written, told, mailed, acknowledged."""
