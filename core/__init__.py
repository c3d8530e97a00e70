"""The shared kernel: what every app needs and no app owns."""
