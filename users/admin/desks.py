"""Desks: what groups of staff may do at the admin site."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group as PermissionGroup

from core.admin import HouseAdmin

admin.site.unregister(PermissionGroup)


@admin.register(PermissionGroup)
class PermissionGroupAdmin(HouseAdmin, DjangoGroupAdmin):
    """What desks may do at the admin site."""
