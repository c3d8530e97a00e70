"""A cover at the admin site: looked at, and replaced by the same rules as over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html

from core.admin.house import HouseAdmin, actor
from core.admin.library import ClearableFileInput
from core.refusals import Refused
from core.uploads.covers import picture_of, replace_cover
from core.uploads.delivery import answer_with, from_here
from core.uploads.rights import servable

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase


class CoverForm(forms.ModelForm):
    """A row with a cover, which a change may leave as it is."""

    cover = forms.FileField(
        required=False,
        widget=ClearableFileInput(attrs={"accept": "image/png,image/jpeg,image/gif,image/webp"}),
        help_text="A PNG, JPEG, GIF or WebP picture of at most 10 MB. It replaces the one before it.",
    )

    def clean_cover(self) -> Any:
        """Read the picture, and say at the field what is wrong with it."""
        file = self.cleaned_data["cover"]
        try:
            self.picture = picture_of(file) if file else None
        except Refused as refusal:
            raise forms.ValidationError(refusal.message) from refusal
        return file


class CoverAdmin(HouseAdmin):
    """A page whose rows have a ``cover_image``, in the folder that their model names."""

    def page_name(self, what: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{what}"

    def get_urls(self) -> list[Any]:
        show = self.admin_site.admin_view(self.show_cover)
        return [path("<id:pk>/cover/", show, name=self.page_name("cover")), *super().get_urls()]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Ask for a cover where somebody may write, and show the one that is there."""
        may_write = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        unfit = {*(() if may_write else ("cover",)), *(() if obj else ("current_cover",))}
        return [name for name in super().get_fields(request, obj) if name not in unfit]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*super().get_readonly_fields(request, obj), "current_cover"]

    @admin.display(description="current cover")
    def current_cover(self, row: Any) -> str:
        if not row.cover_image:
            return "none"
        address = reverse(f"admin:{self.page_name('cover')}", args=[row.pk])
        # The key changes with the picture, so that no browser shows the one before.
        name = row.cover_image.rpartition("/")[2]
        return format_html('<img src="{}?{}" alt="The cover" class="cover-shown">', address, name)

    def show_cover(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Answer with the picture, also where links lead to the bucket: pages show our own files alone."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row: Any = get_object_or_404(self.get_queryset(request), pk=pk)
        upload = servable().filter(key=row.cover_image or "").first()
        if upload is None:
            raise Http404
        if settings.FILE_DELIVERY == "redirect":
            return from_here(upload, request, "")
        return answer_with(upload, request)

    def save_cover(self, request: HttpRequest, row: Model, form: Any) -> None:
        """Replace the cover where a picture was sent; ``row`` is stored already."""
        if file := form.cleaned_data.get("cover"):
            folder = type(row).COVER_FOLDER  # type: ignore[attr-defined]
            replace_cover(row, file, by=actor(request), folder=folder, picture=form.picture)
