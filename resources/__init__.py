"""Documents and media of the programme."""
