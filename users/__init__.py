"""Who takes part: accounts, profiles, and who looks after whom."""
