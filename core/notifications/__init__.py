"""Telling people what happened: notices, their deliveries by inbox and mail, and how each wants them."""
