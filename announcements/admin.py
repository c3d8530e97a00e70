"""Announcements at the admin site."""

from django.contrib import admin
from django.db import models

from announcements.models import Announcement
from core.admin import HouseAdmin


@admin.register(Announcement)
class AnnouncementAdmin(HouseAdmin):
    list_display = ["title", "audience", "author", "created_at"]
    list_filter = ["audience"]
    search_fields = ["title", "summary", "content"]
    readonly_fields = ["created_at", "updated_at"]
    date_hierarchy = "created_at"
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
