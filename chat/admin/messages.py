"""Messages at the admin site, and the page on which one is opened to an admin who says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse

from chat.admin.judging import JudgesMessages
from chat.models import Message, MessageAttachment, TextOpening
from chat.services.opening import Opened, ReasonMissing, open_text
from core.admin import LookOnly, actor
from core.admin.inlines import PagedInline
from core.admin.library import Textarea, button
from core.refusals import Refused
from core.uploads.links import links_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


class AttachmentInline(LookOnly, PagedInline):
    """Kind and size of a file; its name and its link belong to the conversation."""

    model = MessageAttachment
    fields = ["mime_type", "file_size"]


class ReasonForm(forms.Form):
    """Why somebody opens what was said."""

    reason = forms.CharField(
        label="Why do you need to read it?",
        min_length=TextOpening.MIN_REASON,
        max_length=TextOpening.MAX_REASON,
        widget=Textarea(attrs={"rows": 3}),
        help_text=f"{TextOpening.MIN_REASON} to {TextOpening.MAX_REASON} characters. Name nobody: what was "
        "reported or asked for is enough.",
    )


@admin.register(Message)
class MessageAdmin(JudgesMessages):
    """Ordered by id, and without a calendar: the table grows to millions of rows."""

    narrowed_by = frozenset({"group", "moderation_status", "is_deleted", "id"})
    list_display = ["id", "group_id", "author_id", "created_at", "moderation_status", "is_deleted"]
    list_filter = ["moderation_status", "is_deleted"]
    search_fields = ["=group__id"]
    search_help_text = "A group's id."
    ordering = ["-id"]
    fields = [
        *["group", "author_id", "seq", "revision", "created_at", "edited_at"],
        *["is_deleted", "deleted_at", "deleted_by", "moderation_status", "moderated_at", "moderated_by"],
    ]
    inlines: ClassVar = [AttachmentInline]
    actions_detail: ClassVar = [
        "open_text",
        {"title": "Moderate", "icon": "gavel", "items": JudgesMessages.judgements},
    ]

    @button(description="Open the text…", permissions=["platform"], icon="lock_open", url_path="text")
    def open_text(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask why, write it down, and show the message among its neighbours on the page that answers."""
        message = self.message(request, object_id)
        form = ReasonForm(request.POST if request.method == "POST" else None)
        opened = self.opened(request, message, form) if form.is_valid() else None
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            # Titles stand in the histories of browsers: a number, and no word.
            "title": f"Text of message {message.pk}",
            "asked_for": message,
            "form": form,
            "opened": described(opened, request) if opened else None,
            "back": reverse("admin:chat_message_change", args=[message.pk]),
        }
        response = TemplateResponse(request, "admin/chat/open_text.html", context)
        response["Cache-Control"] = "no-store, private"
        return response

    def judged(self, request: HttpRequest, object_id: Any) -> Message | None:
        return self.get_object(request, object_id)

    def message(self, request: HttpRequest, object_id: str) -> Message:
        rows = Message.objects.select_related("group").only("group_id", "created_at", "group__name")
        found = self.get_object(request, object_id)
        return get_object_or_404(rows, pk=found.pk if found else None)

    def opened(self, request: HttpRequest, message: Message, form: ReasonForm) -> Opened | None:
        try:
            return open_text(message.pk, by=actor(request), reason=form.cleaned_data["reason"])
        except ReasonMissing as refusal:
            form.add_error("reason", refusal.message)
        except Refused as refusal:
            form.add_error(None, refusal.message)
        return None


def described(opened: Opened, request: HttpRequest) -> dict[str, Any]:
    """Return what the page shows: files lead to the conversation's own links, for whoever sits here."""
    links = links_of(request)  # type: ignore[arg-type]
    rows = [
        {
            "message": row,
            "is_asked_for": row.pk == opened.message.pk,
            "files": [
                (file, links.to(file.file_url) if file.upload_id else "") for file in row.attachments.all()
            ],
        }
        for row in opened.conversation
    ]
    return {"rows": rows, "reports": opened.reports}
