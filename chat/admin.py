"""Chat at the admin site: that something was said, by whom and when; never what."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from chat.models import Message, MessageAttachment, MessageReport
from core.admin import LookOnly


class AttachmentInline(LookOnly, admin.TabularInline):
    """Kind and size of a file; its name and its link belong to the conversation."""

    model = MessageAttachment
    fields = ["mime_type", "file_size"]


@admin.register(Message)
class MessageAdmin(LookOnly, admin.ModelAdmin):
    """Ordered by id, and without a calendar: the table grows to millions of rows."""

    list_display = ["id", "group_id", "author_id", "created_at", "moderation_status", "is_deleted"]
    list_filter = ["moderation_status", "is_deleted"]
    search_fields = ["=group__id"]
    search_help_text = "A group's id."
    ordering = ["-id"]
    show_full_result_count = False
    fields = [
        *["group", "author_id", "seq", "revision", "created_at", "edited_at"],
        *["is_deleted", "deleted_at", "deleted_by", "moderation_status", "moderated_at", "moderated_by"],
    ]
    inlines: ClassVar = [AttachmentInline]


@admin.register(MessageReport)
class MessageReportAdmin(LookOnly, admin.ModelAdmin):
    """That something was reported, and whether it is dealt with; neither who told nor in which words."""

    list_display = ["id", "category", "message", "created_at", "resolved_at", "resolved_by"]
    list_filter = ["category", ("resolved_at", admin.EmptyFieldListFilter)]
    list_select_related = ["message", "resolved_by"]
    search_fields = ["=message__group__id", "=message__id"]
    search_help_text = "A group's or a message's id."
    ordering = ["-id"]
    show_full_result_count = False
    fields = ["category", "message", "created_at", "resolved_at", "resolved_by"]
