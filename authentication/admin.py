"""Who is signed in where, at the admin site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib import admin
from django.utils import timezone

from authentication.models import SignInSession
from authentication.sessions import end_session
from core.admin import LookOnly, Narrowed, OfAPerson, actor
from core.admin.confirming import Deed, Meanwhile, ask_then_do
from core.admin.inlines import PagedInline
from users.admin.additions import person_inlines

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from users.models import User


def end(session: SignInSession, *, by: User) -> None:
    """Raises Meanwhile (404)."""
    if not end_session(session, reason="session_ended_by_admin", by=by):
        raise Meanwhile


END: Final = Deed(
    title="End sessions",
    says="They are signed out on those devices, at once. They may sign in again.",
    verb="End",
    done="ended: signed out on those devices.",
    do=end,
    why_not=lambda session: "It has ended already." if session.revoked_at else "",
    noun=("session", "sessions"),
    named=lambda session: f"{session.user}, {session.device or 'a device without a name'}",
)


@admin.register(SignInSession)
class SignInSessionAdmin(LookOnly, OfAPerson, Narrowed):
    """Sessions are opened by signing in; here they can be ended."""

    list_display = ["person", "device", "created_at", "last_seen_at", "expires_at", "revoked_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["user"]
    search_fields = ["user__email", "user__last_name"]
    date_hierarchy = "created_at"
    actions = ["end"]

    def has_end_permission(self, request: HttpRequest) -> bool:
        return actor(request).has_perm("authentication.change_signinsession")

    @admin.action(description="End selected sessions", permissions=["end"])
    def end(self, request: HttpRequest, queryset: QuerySet[SignInSession]) -> HttpResponse | None:
        return ask_then_do(self, request, queryset, END)


class SessionInline(LookOnly, PagedInline):
    """Where a person is signed in now, at the person's own page."""

    model = SignInSession
    fields = ["device", "created_at", "last_seen_at", "expires_at"]
    verbose_name_plural = "sessions"
    extra = 0
    tab = True
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[SignInSession]:
        rows = super().get_queryset(request)
        return rows.filter(revoked_at=None, expires_at__gt=timezone.now())


person_inlines.add("authentication", SessionInline)
