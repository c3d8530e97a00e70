"""Aiming generated calls at what exists, since nearly every random id is a 404."""

from __future__ import annotations

import zlib
from typing import Any, Final

import scene

# Names of fields and query parameters, and the path whose objects they mean.
MEANT: Final = {
    "userId": "/api/admin/users/{id}",
    "studentId": "/api/admin/users/{id}",
    "supervisorId": "/api/admin/users/{id}",
    "mentorId": "/api/admin/users/{id}",
    "assignedTo": "/api/admin/users/{id}",
    "groupIds": "/api/groups/{id}",
    "ids": "/api/notifications/{id}",
    "group": "/api/groups/{id}",
    "replyTo": "/api/groups/{group_id}/messages/{message_id}",
}
# Where the id is not the first one of the path.
LAST: Final = {"replyTo": "message_id"}
# What stands in a body for an id that is filled in when it is sent.
MARKS: Final = {name: 770_000_001 + n for n, name in enumerate(MEANT)}


class Aim:
    """The ids of what there is, and a choice among them that depends on the generated value alone."""

    def __init__(self, misses_in_ten: int) -> None:
        self.misses_in_ten = misses_in_ten
        self.pools = scene.pools()

    def at_path(self, path: str, values: dict[str, Any]) -> dict[str, Any]:
        """Return the path parameters, most times those of something that exists."""
        known = [prefix for prefix in self.pools if path.rstrip("/").startswith(prefix)]
        if not known or not values or self.misses(values):
            return values
        return {**values, **self.one_of(max(known, key=len), values)}

    def at_fields(self, part: Any, name: str = "") -> Any:
        """Return a body or a query, with most ids in it those of something that exists."""
        if isinstance(part, dict):
            return {key: self.at_fields(value, str(key)) for key, value in part.items()}
        if isinstance(part, list):
            return [self.at_fields(value, name) for value in part]
        if name not in MEANT or not isinstance(part, int | str) or self.misses(part):
            return part
        chosen = self.one_of(MEANT[name], part)
        return chosen.get(LAST.get(name, "id"), part)

    def at_marks(self, body: bytes) -> bytes:
        """Return a body with the ids of something that exists where marks stand for them."""
        for name, mark in MARKS.items():
            if str(mark).encode() in body:
                chosen = self.one_of(MEANT[name], body).get(LAST.get(name, "id"), mark)
                body = body.replace(str(mark).encode(), str(chosen).encode())
        return body

    def one_of(self, prefix: str, value: Any) -> dict[str, Any]:
        rows = self.pools[prefix]
        return rows[number_of(value) // 10 % len(rows)] if rows else {}

    def misses(self, value: Any) -> bool:
        return number_of(value) % 10 < self.misses_in_ten


def number_of(value: Any) -> int:
    """Return a number that is the same for the same value in every run."""
    return zlib.crc32(repr(value).encode(errors="replace"))
