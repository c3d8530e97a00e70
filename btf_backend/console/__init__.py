"""What admins see of everything at once. It asks every app, so it stands above them all."""
