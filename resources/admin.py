"""Resources at the admin site."""

from django.contrib import admin

from core.admin import HouseAdmin
from resources.models import Resource


@admin.register(Resource)
class ResourceAdmin(HouseAdmin):
    list_display = ["title", "type", "role", "download_count", "created_at"]
    list_filter = ["type", "role"]
    search_fields = ["title", "description"]
    readonly_fields = ["download_count", "created_at", "updated_at"]
    date_hierarchy = "created_at"
