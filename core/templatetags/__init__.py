"""Words of the admin site's pages."""
