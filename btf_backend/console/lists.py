"""Lists of the admin site by the label of their model: where they are, and to whom they open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.apps import apps
from django.contrib import admin
from django.urls import reverse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest


def page_of(label: str) -> admin.ModelAdmin[Any]:
    return admin.site.get_model_admin(apps.get_model(label))


def may_see(label: str, request: HttpRequest) -> bool:
    """Tell whether the list of a model opens for who is signed in: the page itself says it."""
    return page_of(label).has_view_or_change_permission(request)


def list_of(label: str, query: Mapping[str, str] | None = None) -> str:
    """Return the address of a list, narrowed."""
    path = reverse(f"admin:{label.lower().replace('.', '_')}_changelist")
    return f"{path}?{urlencode(query)}" if query else path


def add_to(label: str, request: HttpRequest) -> str:
    """Return the address of the page that adds a row; blank for whoever may not add one."""
    path = reverse(f"admin:{label.lower().replace('.', '_')}_add")
    return path if page_of(label).has_add_permission(request) else ""
