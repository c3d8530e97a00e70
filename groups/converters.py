"""Groups' ids in paths."""

from django.urls import register_converter

from groups.models import ID_PATTERN


class GroupIdConverter:
    """``<group:pk>``: what can be a group's id; anything else is no route, hence a 404."""

    regex = ID_PATTERN.removeprefix(r"\A").removesuffix(r"\Z")

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(GroupIdConverter, "group")
