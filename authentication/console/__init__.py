"""The door of the admin site: the mailed link and code, the password of superusers, and fresh proof."""
