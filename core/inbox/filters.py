"""Which rows of an inbox."""

from __future__ import annotations

from django_filters import rest_framework as filters

from core.models import Delivery


class InboxFilter(filters.FilterSet):
    """By kind, and whether they are read."""

    unread = filters.BooleanFilter(
        field_name="read_at", lookup_expr="isnull", help_text="`true`: not read yet. `false`: read."
    )
    kind = filters.CharFilter(field_name="notice__kind", help_text="Such as `announcement`.")

    class Meta:
        model = Delivery
        fields: list[str] = []
