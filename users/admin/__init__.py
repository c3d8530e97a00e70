"""People at the admin site. What changes somebody's rights follows the same rules as at every door."""

from users.admin import desks, imports, links, people

__all__ = ["desks", "imports", "links", "people"]
