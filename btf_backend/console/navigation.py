"""What stands in the sidebar of the admin site: to each the pages that open for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.urls import reverse

from btf_backend.console.lists import list_of, may_see

if TYPE_CHECKING:
    from django.http import HttpRequest

MOST_SHOWN: Final = 999  # as the number that waits: it stands in one line with a word

# Title, then what is in it: label, symbol of the font that comes with the library, model.
SECTIONS: Final[list[tuple[str, list[tuple[str, str, str]]]]] = [
    (
        "People",
        [
            ("People", "group", "users.user"),
            ("Students and supervisors", "family_restroom", "users.studentsupervisor"),
            ("Imports of people", "upload_file", "users.peopleimport"),
            ("Sign-in sessions", "devices", "authentication.signinsession"),
        ],
    ),
    (
        "Groups",
        [
            ("Groups", "diversity_3", "groups.group"),
            ("Milestones", "flag", "groups.milestone"),
            ("Tasks", "task_alt", "groups.task"),
            ("Milestone templates", "content_copy", "groups.milestonetemplate"),
            ("Templates given out", "move_to_inbox", "groups.templaterun"),
        ],
    ),
    (
        "Conversations",
        [
            ("Reported messages", "report", "chat.messagereport"),
            ("Messages", "forum", "chat.message"),
            ("Opened texts", "lock_open", "chat.textopening"),
        ],
    ),
    (
        "Programme",
        [
            ("Events", "event", "events.event"),
            ("Registrations", "how_to_reg", "events.eventregistration"),
            ("Resources", "menu_book", "resources.resource"),
            ("Announcements", "campaign", "announcements.announcement"),
            ("Acknowledgements", "done_all", "announcements.acknowledgement"),
        ],
    ),
    (
        "Mail",
        [
            ("Notices", "notifications", "core.notice"),
            ("Deliveries", "outgoing_mail", "core.delivery"),
            ("Mail troubles", "mail_off", "core.mailtrouble"),
        ],
    ),
    (
        "Platform",
        [
            ("Audit log", "history", "core.auditevent"),
            ("Files", "attach_file", "core.upload"),
            ("Failed tasks", "error", "core.deadletter"),
            ("Tasks", "pending_actions", "django_tasks_database.dbtaskresult"),
            ("Periodic jobs", "schedule", "core.periodicrun"),
            ("Desks and their rights", "admin_panel_settings", "auth.group"),
        ],
    ),
]


def sections(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sidebar; a section without a page for this person is left out."""
    from btf_backend.console.queue import waiting  # noqa: PLC0415 - it knows the pages, which need this

    start: dict[str, Any] = {"title": "Dashboard", "icon": "space_dashboard", "link": reverse("admin:index")}
    if count := waiting(request):
        start["badge"] = count if count <= MOST_SHOWN else f"{MOST_SHOWN}+"
    shown: list[dict[str, Any]] = [{"items": [start]}]
    for title, pages in SECTIONS:
        if items := [item(name, icon, label) for name, icon, label in pages if may_see(label, request)]:
            shown.append({"title": title, "separator": True, "items": items})
    return shown


def item(title: str, icon: str, label: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": list_of(label)}
