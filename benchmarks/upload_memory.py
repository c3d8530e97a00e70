"""How far a server's memory grows while files come in: the largest there may be, and the largest pictures.

By hand, on a private PostgreSQL and Redis that end with it (``make bench PART=upload_memory``):

    scripts/services.sh run -- .venv/bin/python -m benchmarks.upload_memory

Uploads each file to gunicorn, as in production, and downloads it again. Fails where the worker grows by
64 MiB or more, or answers anything unforeseen. Linux alone: memory is read from ``/proc``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from io import BytesIO
from typing import Any, Final, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from PIL import Image

from benchmarks.export_memory import (
    ENVIRONMENT,
    PIECE,
    PROJECT,
    SERVERS,
    free_port,
    memory,
    serving_process,
    wait_for,
)

LIMIT_MIB: Final = 64
MOST: Final = 26_214_400
BOUNDARY: Final = "file-boundary"


class Case(NamedTuple):
    """A file, and how it must be answered."""

    name: str
    filename: str
    mime_type: str
    content: bytes
    status: int


def picture(kind: str, size: tuple[int, int], mode: str) -> bytes:
    content = BytesIO()
    Image.new(mode, size).save(content, kind)
    return content.getvalue()


def on_its_side(size: tuple[int, int]) -> bytes:
    content, exif = BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", size).save(content, "JPEG", exif=exif)
    return content.getvalue()


def cases() -> list[Case]:
    noise = os.urandom(1_000_000) * 27
    return [
        Case("25 MiB", "a.mp4", "video/mp4", noise[:MOST], 201),
        Case("25 MiB + 1", "a.mp4", "video/mp4", noise[: MOST + 1], 400),
        Case("25 MiB of text", "a.txt", "text/plain", b"a" * MOST, 201),
        Case("PNG of 12 million pixels", "a.png", "image/png", picture("PNG", (4_000, 3_000), "RGB"), 201),
        Case("JPEG of 48 million pixels", "a.jpg", "image/jpeg", picture("JPEG", (8_000, 6_000), "RGB"), 201),
        Case("JPEG on its side", "a.jpg", "image/jpeg", on_its_side((4_032, 3_024)), 201),
        Case("JPEG of many segments", "a.jpg", "image/jpeg", b"\xff\xd8" + b"\xff\xe5\0\2" * 6_500_000, 400),
        Case("PNG of 64 million pixels", "a.png", "image/png", picture("PNG", (8_000, 8_000), "L"), 400),
    ]


def fill() -> str:
    """Return an access token of somebody."""
    import django

    django.setup()
    from django.core.management import call_command

    from authentication.sessions import open_session
    from users.models import User

    call_command("migrate", verbosity=0)
    return open_session(
        User.objects.create_user(email="ada@example.org", status="active"), user_agent=""
    ).access


def upload(base: str, token: str, case: Case) -> tuple[int, Any]:
    """Send a file as a browser does; return status and body."""
    disposition = f'Content-Disposition: form-data; name="file"; filename="{case.filename}"'
    start = f"--{BOUNDARY}\r\n{disposition}\r\nContent-Type: {case.mime_type}\r\n\r\n".encode()
    body = start + case.content + f"\r\n--{BOUNDARY}--\r\n".encode()
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
    }
    request = Request(f"{base}/api/uploads/", body, headers)  # noqa: S310 - our own server
    try:
        with urlopen(request, timeout=120) as response:  # noqa: S310
            return response.status, json.load(response)
    except HTTPError as refusal:
        return refusal.code, json.load(refusal)


def download(url: str) -> int:
    size = 0
    with urlopen(url, timeout=120) as response:  # noqa: S310 - our own server
        while piece := response.read(PIECE):
            size += len(piece)
    return size


def measure(base: str, token: str, pid: int, case: Case, before: float) -> bool:
    """Print what one file costs; tell whether all is as it must be."""
    started = time.monotonic()
    status, body = upload(base, token, case)
    seconds = time.monotonic() - started
    fetched = download(body["url"]) if status < 400 else 0  # noqa: PLR2004
    grown = memory(pid, "VmHWM") - before
    told = f"{status}, {seconds:.2f} s, {body.get('size', 0):,} bytes stored"
    print(f"{case.name:28} {told}, {fetched:,} read; the worker's peak has grown by {grown:.1f} MiB")
    return status == case.status and fetched == body.get("size", 0) and grown < LIMIT_MIB


def main() -> int:
    with tempfile.TemporaryDirectory() as media:
        os.environ.update(ENVIRONMENT, MEDIA_ROOT=media)
        sys.path.insert(0, str(PROJECT))
        token, port = fill(), free_port()
        base = f"http://127.0.0.1:{port}"
        command = [*SERVERS["gunicorn"], f"127.0.0.1:{port}"]
        with subprocess.Popen(command, cwd=PROJECT) as server:  # noqa: S603 - the list above
            try:
                wait_for(f"{base}/api/health/live/")
                pid = serving_process(server)
                upload(
                    base, token, Case("a first one", "a.png", "image/png", picture("PNG", (9, 9), "L"), 201)
                )
                before = memory(pid, "VmRSS")
                results = [measure(base, token, pid, case, before) for case in cases()]
            finally:
                server.terminate()
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
