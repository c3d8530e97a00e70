"""The platform's own tables at the admin site, and what the pages of other apps share."""

from core.admin import dead_letters, notices, tables
from core.admin.house import HouseAdmin, LookOnly, Narrowed, OfAPerson, TakesAlong, actor, changed_fields
from core.admin.notices import MailTroubleFilter

__all__ = [
    "HouseAdmin",
    "LookOnly",
    "MailTroubleFilter",
    "Narrowed",
    "OfAPerson",
    "TakesAlong",
    "actor",
    "changed_fields",
    "dead_letters",
    "notices",
    "tables",
]
