"""What bodies and answers about resources look like, by the name of their component in the API document."""

from __future__ import annotations

from typing import Any, Final

from core.examples import FILE

EXAMPLES: Final[dict[str, Any]] = {
    "PatchedResourceWriteRequest": {"title": "Mentor guide, second edition", "role": "mentor"},
    "Resource": {
        "id": 101,
        "title": "Mentor guide",
        "type": "guide",
        "role": "mentor",
        "url": FILE.format("resources/files/3f0c9a.pdf"),
        "coverImage": None,
        "description": "How a group gets through its first month.",
        "download_count": 12,
        "created_at": "2026-11-25T13:43:11.805640Z",
        "updated_at": "2026-11-25T13:43:11.805640Z",
        "fileName": "guide.pdf",
        "fileSize": 20481,
        "mimeType": "application/pdf",
    },
}
