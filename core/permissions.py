"""Who may do what, as classes that a view names."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.conf import settings
from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAuthenticated

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView

    from users.models import User


class IsPlatformAdmin(IsAuthenticated):
    """Admins by role and superusers; ``is_staff`` opens only the admin site."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = cast("User", request.user)
        return super().has_permission(request, view) and user.is_platform_admin


class AdminWrites(IsPlatformAdmin):
    """Everyone signed in reads; platform admins write."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method in SAFE_METHODS:
            return IsAuthenticated.has_permission(self, request, view)
        return super().has_permission(request, view)


class MayReadDocs(BasePermission):
    """Everyone where API_DOCS_PUBLIC is on; else staff, by their session of the admin site."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(settings.API_DOCS_PUBLIC or getattr(request.user, "is_staff", False))
