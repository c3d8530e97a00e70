"""What models tell developers, as the admin site says it to people."""

from __future__ import annotations

import re

from django import template

register = template.Library()

NULL = re.compile(r"\bNull\b")


@register.filter
def for_people(help_text: object) -> str:
    """Say "Empty" of a column without a value: the API has null there, and a page has a dash."""
    return NULL.sub("Empty", str(help_text))
