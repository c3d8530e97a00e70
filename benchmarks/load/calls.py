"""The requests that are measured, by the names that the tables have them under."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .rows import PER_GROUP
from .seed import MEASURED, token_of

if TYPE_CHECKING:
    from .seed import Cast

# What NGINX adds, on which the product stands.
FROM_THE_PROXY: Final = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
MOST_WRITERS: Final = 96
# More spans of one conversation than a process keeps pages, so that each is read from the database.
SPANS: Final = 500
CREATED: Final = 201


@dataclass(frozen=True)
class Call:
    """One request, or several in turn: ``targets`` are pairs of path and token. One of status 201 posts."""

    name: str
    path: str
    token: str
    status: int = 200
    targets: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_post(self) -> bool:
        return self.status == CREATED

    @property
    def method(self) -> str:
        return "POST" if self.is_post else "GET"

    @property
    def headers(self) -> dict[str, str]:
        return {**FROM_THE_PROXY, "Authorization": f"Bearer {self.token}", "Accept": "application/json"}


def body_of(name: str) -> bytes:
    """Return what a client posts, with a name of its own for the message."""
    return json.dumps({"text": f"What grew in dish {name} since Monday?", "clientId": name}).encode()


def calls(cast: Cast) -> dict[str, Call]:
    """Return every measured request but the export. Pages are of twenty, as the earlier system's were."""
    student, admin = token_of(cast.students[0]), token_of(cast.admin)
    group, messages = f"/api/groups/{cast.group}/", f"/api/groups/{cast.group}/messages"
    last_page = (cast.groups * PER_GROUP + 1) // 20 - 1
    writers = [written_by(number) for number in range(2, 2 + min(MOST_WRITERS, cast.groups - 1))]
    anew = [(f"{messages}?limit=50&before={moment}", student) for moment in moments_to_come()]
    made = [
        Call("users/me", "/api/users/me/", student),
        Call("groups", "/api/groups/", admin),
        Call("group detail", group, student),
        Call("messages newest", f"{messages}?limit=50", student),
        Call("messages deep", f"{messages}?limit=50&before={cast.deep}", student),
        Call("messages anew", *anew[0], targets=anew),
        Call("post", writers[0][0], writers[0][1], CREATED, writers),
        Call("events", "/api/events/?upcoming=true&page_size=20", student),
        Call("resources", "/api/resources/?page_size=20", student),
        Call("announcements", "/api/announcements/?page_size=20", student),
        Call("admin users first", "/api/admin/users/", admin),
        Call("admin users deep", f"/api/admin/users/?page={last_page}", admin),
        Call("admin users search", "/api/admin/users/?search=person+12", admin),
        Call("admin stats", "/api/admin/stats/", admin),
    ]
    return {call.name: call for call in made}


def moments_to_come() -> list[str]:
    """Return moments after every message there is."""
    return [f"2100-01-01T00:{number // 60:02}:{number % 60:02}Z" for number in range(SPANS)]


def written_by(number: int) -> tuple[str, str]:
    """Return where the first student of a group posts, and their token."""
    group = f"{MEASURED[:3]}{number:03}"
    return f"/api/groups/{group}/messages", token_of((number - 1) * PER_GROUP + 2)


def chosen(names: list[str], known: dict[str, Call]) -> dict[str, Call]:
    """Return the calls whose name begins with one of those words; all where there are none."""
    unknown = [name for name in names if not any(known_name.startswith(name) for known_name in known)]
    if unknown:
        raise SystemExit(f"Unknown: {', '.join(unknown)}. There are: {', '.join(known)}.")
    return {name: call for name, call in known.items() if not names or name.startswith(tuple(names))}
