"""What changes resources: publishing them, and counting who opens them."""
