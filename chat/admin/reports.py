"""The queue of reported messages at the admin site: who and where, how long it waits, and what is done."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.contrib import admin
from django.db.models import F
from django.http import Http404, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince

from chat.admin.judging import JudgesMessages
from chat.models import Message, MessageReport
from chat.models.marks import ReportQuerySet
from chat.services.reports import settle_report
from core.admin import actor
from core.admin.confirming import Deed, ask_then_do, ask_then_do_to_one
from core.admin.filters import NeedsFilter
from core.admin.library import button
from core.roles import FORMER_MEMBER

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse


NOUN: Final = ("report", "reports")
SETTLE: Final = Deed(
    title="Settle",
    says="They are dealt with, or were unfounded. The messages stay as they are. You can open them again.",
    verb="Settle",
    done="settled.",
    do=partial(settle_report, resolved=True),
    why_not=lambda report: "It is settled already." if report.resolved_at else "",
    noun=NOUN,
)
REOPEN: Final = Deed(
    title="Open again",
    says="They wait for somebody to deal with them again.",
    verb="Open",
    done="opened again.",
    do=partial(settle_report, resolved=False),
    why_not=lambda report: "" if report.resolved_at else "It is open.",
    noun=NOUN,
)


def open_for(days: int) -> Callable[[ReportQuerySet], ReportQuerySet]:
    """Return what keeps reports that nobody has settled in so many days."""

    def kept(reports: ReportQuerySet) -> ReportQuerySet:
        return reports.open().filter(created_at__lt=timezone.now() - timedelta(days=days))

    return kept


class ReportsNeedFilter(NeedsFilter):
    """Open ones: all, and those that wait for long."""

    rules: ClassVar = {
        "open": ("Open", ReportQuerySet.open),
        "open_for_a_day": ("Open for more than a day", open_for(1)),
        "open_for_3_days": ("Open for more than 3 days", open_for(3)),
        "open_for_a_week": ("Open for more than a week", open_for(7)),
    }


@admin.register(MessageReport)
class MessageReportAdmin(JudgesMessages):
    """That something was reported, and whether it is dealt with; neither who told nor in which words."""

    narrowed_by = frozenset({"category", "id", "created_at", "resolved_at"})
    list_display = ["report", "category", "group", "author", "waiting", "created_at", "resolved_by"]
    list_filter = [ReportsNeedFilter, "category", ("resolved_at", admin.EmptyFieldListFilter)]
    search_fields = ["=message__group__id", "=message__id"]
    search_help_text = "A group's or a message's id."
    ordering = [F("resolved_at").desc(nulls_first=True), "created_at", "id"]
    fields = [
        "category",
        "group",
        "author",
        "message",
        "message_state",
        "created_at",
        "waiting",
        "resolved_at",
        "resolved_by",
    ]
    readonly_fields = ["group", "author", "message_state", "waiting"]
    actions = ["settle", "open_again"]
    actions_detail: ClassVar = [
        "open_text",
        "settle_report",
        "reopen_report",
        {"title": "The message", "icon": "gavel", "items": JudgesMessages.judgements},
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[MessageReport]:
        """Nobody judges what was reported of themselves; and no word is read from the database."""
        rows = MessageReport.objects.for_moderator(actor(request))
        found = rows.select_related("message__group", "message__author", "resolved_by")
        return found.defer("note", "reported_text", "message__text", "message__moderation_note")

    @admin.display(description="report", ordering="id")
    def report(self, report: MessageReport) -> str:
        return f"No. {report.pk}"

    @admin.display(description="group", ordering="message__group__sort_key")
    def group(self, report: MessageReport) -> str:
        return str(report.message.group)

    @admin.display(description="author of the message")
    def author(self, report: MessageReport) -> str:
        return report.message.author.display_name if report.message.author else FORMER_MEMBER

    @admin.display(description="state of the message")
    def message_state(self, report: MessageReport) -> str:
        status = report.message.get_moderation_status_display()
        return f"Removed; {status.lower()}" if report.message.is_deleted else status

    @admin.display(description="waiting for", ordering="created_at")
    def waiting(self, report: MessageReport) -> str:
        return "settled" if report.resolved_at else timesince(report.created_at, depth=1)

    @admin.action(description="Settle selected reports", permissions=["platform"])
    def settle(self, request: HttpRequest, queryset: QuerySet[MessageReport]) -> HttpResponse | None:
        """Ask with the number of those that are open, then settle them."""
        return ask_then_do(self, request, queryset, SETTLE)

    @admin.action(description="Open selected reports again", permissions=["platform"])
    def open_again(self, request: HttpRequest, queryset: QuerySet[MessageReport]) -> HttpResponse | None:
        """Ask with the number of those that are settled, then open them again."""
        return ask_then_do(self, request, queryset, REOPEN)

    @button(description="Open the text…", permissions=["platform"], icon="lock_open", url_path="text")
    def open_text(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead to the page that asks why."""
        message = self.judged(request, object_id)
        if message is None:
            raise Http404
        return HttpResponseRedirect(reverse("admin:chat_message_open_text", args=[message.pk]))

    @button(description="Settle…", permissions=["platform"], icon="task_alt", url_path="settle")
    def settle_report(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Close a report that is dealt with, or unfounded."""
        return self.one(request, object_id, SETTLE)

    @button(description="Open again…", permissions=["platform"], icon="undo", url_path="reopen")
    def reopen_report(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Open a report that was settled."""
        return self.one(request, object_id, REOPEN)

    def one(self, request: HttpRequest, object_id: str, deed: Deed) -> HttpResponse:
        back = reverse("admin:chat_messagereport_change", args=[object_id])
        return ask_then_do_to_one(self, request, self.get_object(request, object_id), deed, back=back)

    def judged(self, request: HttpRequest, object_id: Any) -> Message | None:
        report = self.get_object(request, object_id)
        return report.message if report else None

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        report = self.get_object(request, object_id)
        is_open = report is not None and report.resolved_at is None
        useless = f"chat_messagereport_{'reopen' if is_open else 'settle'}_report"
        offered = super().get_actions_detail(request, object_id)
        return [each for each in offered if each.action_name != useless]
