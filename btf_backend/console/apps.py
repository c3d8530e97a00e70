"""Puts our admin site in Django's place."""

from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AdminConfig):
    """Django's own app, with our site as the default one."""

    default_site = "btf_backend.console.site.HubAdminSite"
