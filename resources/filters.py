"""Query parameters of the list of resources."""

from __future__ import annotations

from typing import Any

from django_filters import rest_framework as filters

from core.roles import Audience
from resources.models import Resource


class ResourceFilter(filters.FilterSet):
    """Which resources, of those that one sees."""

    type = filters.ChoiceFilter(choices=Resource.Type.choices, help_text="Of which kind, exactly.")
    role = filters.ChoiceFilter(choices=Audience.choices, help_text="For whom, exactly.")
    search = filters.CharFilter(
        method="look_for",
        max_length=200,
        help_text="Part of title or description, as it stands there, in any case.",
    )

    class Meta:
        model = Resource
        fields: list[str] = []

    def look_for(self, resources: Any, name: str, value: str) -> Any:
        return resources.matching(value)
