"""What operators see of the running system: numbers, one line a request, and its defects."""
