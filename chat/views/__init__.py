"""The doors to conversations over HTTP."""
