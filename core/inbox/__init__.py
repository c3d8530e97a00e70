"""What people are told of on the wire: their inbox, how they want to be told, and the way out of mail."""
