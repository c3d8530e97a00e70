"""What a full disk, or one that takes no writes, does to uploads, chat and sign-in (SAFETY R24).

By hand, on a private PostgreSQL that ends with it (``make drill PART=disk_full``); Linux, with ``unshare``:

    scripts/services.sh run -- .venv/bin/python benchmarks/drills/disk_full.py

gunicorn sees a disk of 4 MiB, which holds the files and what is being received; uploads fill it. Then it is
started with one that is read-only. Fails unless uploads are refused with a clean 503 or 507 and leave no row,
a row's file is whole, and people post and ask for links as ever.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections import Counter
from typing import Final

import faults
from traffic import BOUNDARY, Traffic
from wire import Answer, Call
from world import UNBOUNDED, World, make_world

PEOPLE: Final = 5
SMALL, LARGE = 100_000, 3_000_000  # the larger one is received on disk
CLEAN: Final = {503, 507}
MOUNTED: Final = 'mount -t tmpfs -o size=4m tmpfs "$0" && mkdir "$0/received" && {also}exec "$@"'


def server_on(folder: str, *, is_read_only: bool) -> faults.Server:
    """Return gunicorn in a mount namespace of its own, where the folder is another disk; it ends with it."""
    unshare = shutil.which("unshare")
    if unshare is None:
        raise SystemExit("This drill needs unshare (Linux)")
    also = 'mount -o remount,ro "$0" && ' if is_read_only else ""
    root = () if os.getuid() == 0 else ("--map-root-user",)
    web = faults.http_server()
    web.command = [unshare, *root, "--mount", "sh", "-c", MOUNTED.format(also=also), folder, *web.command]
    return web


def upload(name: str, size: int) -> Call:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}.txt"\r\n'
    body = f"{head}Content-Type: text/plain\r\n\r\n{'x' * size}\r\n--{BOUNDARY}--\r\n".encode()
    return Call("upload", "POST", "uploads/", body, f"multipart/form-data; boundary={BOUNDARY}")


def all_do(traffic: Traffic, name: str) -> tuple[list[Answer], list[Answer]]:
    """Have each send files until the disk must be full, and post and ask for links; return what came."""
    uploads, others = list[Answer](), list[Answer]()
    for n in range(12):
        for client in traffic.clients:
            size = LARGE if n % 3 == 2 else SMALL  # noqa: PLR2004
            uploads.append(client.send(upload(f"{name}-{client.number}-{n}", size)))
            calls = (getattr(client, f"new_{kind}") for kind in ("message", "sign_in", "read"))
            others.extend(client.send(call(f"{name}-{client.number}-{n}")) for call in calls)
    return uploads, others


def play(world: World, folder: str, name: str, *, is_read_only: bool) -> bool:
    web = server_on(folder, is_read_only=is_read_only)
    if not is_read_only:
        os.environ["TMPDIR"] = f"{folder}/received"
    try:
        web.start()
        faults.wait_until_ready(web)
        traffic = Traffic(f"http://{faults.HOST}:{web.port}", world, per_second=1)
        uploads, others = all_do(traffic, name)
    finally:
        web.stop()
        os.environ.pop("TMPDIR", None)
    return judged(name, uploads, others, web)


def judged(name: str, uploads: list[Answer], others: list[Answer], web: faults.Server) -> bool:
    from core.models import Upload

    said = Counter(f"{one.status} {one.fault}".strip() for one in uploads)
    rows = Upload.objects.filter(filename__startswith=name).count()
    stored = sum(one.is_good for one in uploads)
    bad = Counter(f"{one.kind} {one.status}" for one in others if not one.is_good)
    print(f"{name:12}uploads {dict(said)}, rows {rows}; others {len(others)}, not answered well {dict(bad)}")
    refused = [one for one in uploads if not one.is_good]
    clean = all(one.status in CLEAN and not one.fault for one in refused)
    if "unhandled_error" in web.told():
        print(web.told()[-1_500:])
    return bool(refused) and clean and rows == stored and not bad and "unhandled_error" not in web.told()


def main() -> int:
    redis = faults.redis()
    redis.start()
    with tempfile.TemporaryDirectory() as folder:
        faults.prepare(redis.port, MEDIA_ROOT=folder, **UNBOUNDED)
        try:
            world = make_world(PEOPLE)
            results = [
                play(world, folder, "full", is_read_only=False),
                play(world, folder, "read-only", is_read_only=True),
            ]
        finally:
            redis.stop()
    return faults.verdict(is_right=all(results))


if __name__ == "__main__":
    sys.exit(main())
