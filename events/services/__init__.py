"""What is done with events, seats and calendars."""
