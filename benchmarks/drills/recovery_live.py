"""Writes while a backup is made, as clients and workers do them."""

from __future__ import annotations

import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import faults

CREATED: Final = 201
OLD_FILES: Final = 150
PATIENCE_SECONDS: Final = 120
MULTIPART: Final = (
    '--line\r\nContent-Disposition: form-data; name="file"; filename="{0}.txt"\r\n'
    "Content-Type: text/plain\r\n\r\n{0}\r\n--line--\r\n"
)


@dataclass
class Live:
    """What was written while the backup was made."""

    port: int
    acknowledged: list[int] = field(default_factory=list)
    uploads: int = 0
    deleted: int = 0
    refused: list[str] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def write(self, token: str, group: str) -> None:
        while not self.is_over.is_set():
            said = self.post(f"groups/{group}/messages", token, {"text": secrets.token_hex(20)})
            self.acknowledged += [said["id"]] if said else []
            body = MULTIPART.format(secrets.token_hex(20)).encode()
            self.uploads += self.post("uploads/", token, body) is not None

    def wait_for(self, count: int) -> None:
        """Return once so many messages are acknowledged."""
        for _ in range(PATIENCE_SECONDS * 10):
            if len(self.acknowledged) >= count:
                return
            time.sleep(0.1)
        raise SystemExit(f"{len(self.acknowledged)} messages in {PATIENCE_SECONDS} s: {self.refused[:3]}")

    def post(self, path: str, token: str, body: Any) -> Any:
        status, said = call(self.port, path, token, body)
        if status == CREATED:
            return said
        self.refused.append(f"{status} {said}")
        return None

    def delete(self) -> None:
        """Delete old uploads as the product does: the row, then the file."""
        from core.models import Upload
        from core.uploads.files import remove_files

        for upload in Upload.objects.order_by("pk")[:OLD_FILES]:
            if self.is_over.wait(0.1):
                return
            upload.delete()
            remove_files([upload.key])
            self.deleted += 1


def call(port: int, path: str, token: str = "", body: Any = None) -> tuple[int, Any]:
    is_form = isinstance(body, bytes)
    headers = {"Content-Type": "multipart/form-data; boundary=line" if is_form else "application/json"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    data = body if is_form or body is None else json.dumps(body).encode()
    try:
        with urlopen(Request(f"http://{faults.HOST}:{port}/api/{path}", data, headers), timeout=30) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        return error.code, error.read()[:200]
