"""Desks: what groups of staff may do at the admin site."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group as PermissionGroup

from core.admin import HouseAdmin
from core.admin.proof import ProvedChanges

admin.site.unregister(PermissionGroup)


@admin.register(PermissionGroup)
class PermissionGroupAdmin(ProvedChanges, HouseAdmin, DjangoGroupAdmin):
    """What desks may do at the admin site."""

    def gives_rights(self, form: Any) -> bool:
        return "permissions" in form.changed_data
