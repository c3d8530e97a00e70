"""How the admin site looks (django-unfold). Its colours: console/theme.py."""

from __future__ import annotations

from typing import Any, Final

from django.templatetags.static import static
from django.urls import reverse_lazy

# Before the apps whose templates they stand in the place of: Django's admin, and import-export.
UNFOLD_APPS: Final = (
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "import_export",
)
# Of the project itself, which is no app.
TEMPLATE_TAGS: Final = {"console_tags": "btf_backend.console.tags"}
UNFOLD: Final[dict[str, Any]] = {
    "SITE_URL": None,  # the web client is another site
    "SITE_SYMBOL": "biotech",
    "SITE_FAVICONS": [{"rel": "icon", "href": "data:,"}],  # else browsers ask for one, and are told 404
    "SHOW_BACK_BUTTON": True,
    "STYLES": [
        lambda _: reverse_lazy("admin:theme"),
        lambda _: static("core/access.css"),
        lambda _: static("core/console.css"),
    ],
    "SCRIPTS": [lambda _: static("core/access.js")],
    "SIDEBAR": {"show_search": True, "navigation": "btf_backend.console.navigation.sections"},
    "BADGE_SECONDS": 30,  # our own: how old the number beside "Dashboard" may be
}
