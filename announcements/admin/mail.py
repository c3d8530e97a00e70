"""The page from which an announcement is mailed, with the same services as over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path

from announcements.models import Announcement
from announcements.services.mail_report import mail_report, sample
from announcements.services.mailing import ask_for_mail, send_test
from core.admin import TakesAlong, actor
from core.admin.progress import REFRESH_SECONDS
from core.models import Delivery
from core.policies import LETTER

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.urls import URLPattern


class MailsFromAPage(TakesAlong):
    """Announcements whose page leads to that of their mail."""

    def get_urls(self) -> list[URLPattern]:
        named, let_in = "announcements_announcement_mail", self.admin_site.admin_view
        return [
            path("<id:pk>/mail/", let_in(self.mail_view), name=named),
            path("<id:pk>/mail/sample/", let_in(self.sample_view), name=f"{named}_sample"),
            *super().get_urls(),
        ]

    def may_mail(self, request: HttpRequest, announcement: Announcement) -> bool:
        """Staff who may write announcements may not thereby write to everybody."""
        return actor(request).is_platform_admin and self.has_change_permission(request, announcement)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        announcement = kwargs.get("obj")
        context["may_mail"] = announcement is not None and self.may_mail(request, announcement)
        return super().render_change_form(request, context, *args, **kwargs)

    def mail_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.or_refusal(request, self.mail_page, pk)

    def announcement(self, request: HttpRequest, pk: int) -> Announcement:
        announcement = get_object_or_404(Announcement, pk=pk)
        if not self.may_mail(request, announcement):
            raise PermissionDenied
        return announcement

    def sample_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the mail alone, for the frame in the page: its styles stand in its elements."""
        html = sample(self.announcement(request, pk), to=actor(request))["html"]
        policies = {"Content-Security-Policy": LETTER, "X-Frame-Options": "SAMEORIGIN"}
        return HttpResponse(html, headers=policies)

    def mail_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        announcement = self.announcement(request, pk)
        if request.method == "POST":
            self.act(request, announcement)
            return HttpResponseRedirect(request.path)
        return TemplateResponse(
            request, "admin/announcements/announcement/mail.html", self.context(request, announcement)
        )

    def act(self, request: HttpRequest, announcement: Announcement) -> None:
        """Do what the pressed button says, and say that it is being done."""
        by = actor(request)
        if "test" in request.POST:
            send_test(announcement, by=by)
            self.message_user(request, f"A test is on its way to {by.email}.")
        elif "confirmed" in request.POST:
            ask_for_mail(announcement, by=by)
            self.message_user(request, "The announcement goes by mail.")
        else:
            self.message_user(request, "Nothing was sent: tick the box first.", messages.WARNING)

    def context(self, request: HttpRequest, announcement: Announcement) -> dict[str, Any]:
        report = mail_report(announcement, to=actor(request))
        return {
            **self.admin_site.each_context(request),
            "title": "E-mail",
            "opts": self.opts,
            "announcement": announcement,
            "is_scheduled": announcement.state == Announcement.State.SCHEDULED,
            "is_expired": announcement.state == Announcement.State.EXPIRED,
            "report": report,
            "sample_title": f"Sample: {report['sample']['subject']}",
            "states": [(state.label, report["states"][state.value]) for state in Delivery.State],
            "refresh_seconds": REFRESH_SECONDS if report["is_under_way"] else 0,
        }
