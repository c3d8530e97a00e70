"""What the frames of a profile belong to: a dozen layers, by the files that they are in."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER: Final = "Python itself, and the rest"
# In this order: the first that matches a path names the layer. A frame that is nobody's is its caller's.
LAYERS: Final = (
    (
        "PostgreSQL: driver and waiting",
        ("psycopg2/", "django/db/backends/", "django/db/utils.py", "core/prepared.py"),
    ),
    (
        "ORM: SQL is compiled",
        ("django/db/models/sql/", "django/db/models/expressions", "django/db/models/lookups"),
    ),
    ("ORM: querysets and rows", ("django/db/models/", "django/db/transaction.py")),
    (
        "Redis: budgets and rooms",
        ("redis/", "core/limits.py", "core/breaker.py", "core/throttling.py", "channels"),
    ),
    (
        "who asks: token and session",
        ("jwt/", "simplejwt/", "authentication/", "cryptography/", "base64.py", "hmac.py"),
    ),
    (
        "serializers and fields",
        (
            "rest_framework/serializers",
            "rest_framework/fields",
            "rest_framework/relations",
            "rest_framework/utils/",
            "core/serializers",
            "/serializers",
        ),
    ),
    ("rendering, links and ETags", ("core/renderers", "core/conditional", "core/uploads/links", "orjson")),
    (
        "REST framework: view and request",
        (
            "rest_framework/",
            "django_filters/",
            "core/filters",
            "core/pagination",
            "core/parsers",
            "django/views/",
        ),
    ),
    (
        "log line and metrics",
        ("core/watching/", "core/logs", "logging/", "prometheus_client/", "pythonjsonlogger"),
    ),
    (
        "middlewares",
        (
            "core/middleware",
            "core/policies",
            "corsheaders/",
            "django/middleware/",
            "django/contrib/sessions",
            "core/sessions",
            "django/contrib/messages",
            "django/contrib/auth",
            "django/utils/deprecation",
            "btf_backend/charset",
        ),
    ),
    (
        "Django: handler, routes, requests",
        (
            "django/core/",
            "django/urls/",
            "django/http/",
            "django/utils/",
            "django/dispatch/",
            "asgiref/",
            "django/conf/",
        ),
    ),
    (
        "our views, services and models",
        ("users/", "groups/", "chat/", "events/", "resources/", "announcements/", "core/", "btf_backend/"),
    ),
)
NAMES: Final = (*(name for name, _ in LAYERS), OTHER)
PACKAGES: Final = "site-packages/"


def layer_of(path: str, project: str) -> str | None:
    """Return the layer of a file; None for what everybody uses."""
    if PACKAGES in path:
        inside = path.rpartition(PACKAGES)[2]
    elif path.startswith(project):
        inside = path.removeprefix(project).lstrip("/")
    else:
        inside = path.rpartition("/lib/python")[2].partition("/")[2]
    for name, parts in LAYERS:
        if any(inside.startswith(part) or (part.startswith("/") and part in inside) for part in parts):
            return name
    return None


def shares(root: Any, project: str) -> dict[str, float]:
    """Return each layer's share of a profile's time, by the innermost frame that is anybody's."""
    seconds: dict[str, float] = defaultdict(float)
    for layer, spent in leaves(root, project, OTHER):
        seconds[layer] += spent
    whole = sum(seconds.values()) or 1.0
    return {name: seconds[name] / whole for name in NAMES}


def leaves(frame: Any, project: str, inherited: str) -> Iterator[tuple[str, float]]:
    """Yield what each frame spends itself, with its layer."""
    own = layer_of(frame.file_path or "", project) or inherited
    below = 0.0
    for child in frame.children:
        below += child.time
        if child.file_path is None or str(child.function).startswith("["):
            yield own, child.time
        else:
            yield from leaves(child, project, own)
    yield own, max(frame.time - below, 0.0)
