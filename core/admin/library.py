"""The library's pages and inlines (django-unfold), with the types of Django's own, which they extend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.contrib.admin import ModelAdmin, StackedInline, TabularInline
    from django.contrib.admin.views.main import ChangeList
    from django.contrib.auth.forms import AdminPasswordChangeForm, AuthenticationForm, UserChangeForm
    from django.forms import CheckboxInput, ClearableFileInput, DateInput, Select, Textarea, TextInput

    View = TypeVar("View", bound=Callable[..., Any])

    def button(
        *, description: str, permissions: Sequence[str], icon: str = "", url_path: str = ""
    ) -> Callable[[View], View]:
        """Make a view out of a method, and a button where ``actions_detail`` or ``actions_list`` name it."""

else:
    from unfold.admin import ModelAdmin, StackedInline, TabularInline
    from unfold.decorators import action as button
    from unfold.forms import AdminPasswordChangeForm, AuthenticationForm, UserChangeForm
    from unfold.views import ChangeList
    from unfold.widgets import UnfoldAdminFileFieldWidget as ClearableFileInput
    from unfold.widgets import UnfoldAdminSelectWidget as Select
    from unfold.widgets import UnfoldAdminSingleDateWidget as DateInput
    from unfold.widgets import UnfoldAdminTextareaWidget as Textarea
    from unfold.widgets import UnfoldAdminTextInputWidget as TextInput
    from unfold.widgets import UnfoldBooleanWidget as CheckboxInput

__all__ = [
    "AdminPasswordChangeForm",
    "AuthenticationForm",
    "ChangeList",
    "CheckboxInput",
    "ClearableFileInput",
    "DateInput",
    "ModelAdmin",
    "Select",
    "StackedInline",
    "TabularInline",
    "TextInput",
    "Textarea",
    "UserChangeForm",
    "button",
]
