"""Whether a backup that is made under load comes back whole: on disk, and in a bucket (SAFETY R19).

By hand: scripts/services.sh run -- .venv/bin/python benchmarks/drills/restore.py [PEOPLE [MESSAGES [FILES]]]

First nothing is written while the backup is made: the restored database must equal the live one, sequences
too. Then gunicorn takes messages and files while the next backup is made, and older files are deleted: the
restored database must equal the backup's moment, name no file that is missing, and have what was acknowledged
before it began.
Last, gunicorn serves the restored one: people of before are signed in, and write on.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import faults
import recovery_facts as facts
from recovery_live import CREATED, Live, call

WRITERS, GROUPS, SIGNED_IN = 6, 200, 40
BUCKET_FILES: Final = 300
AHEAD: Final = 50  # messages are acknowledged before the backup begins


def script(name: str, *words: str, **environment: str) -> float:
    """Run one of the scripts, print what it says, and return its seconds. A fault ends the drill."""
    started = time.monotonic()
    done = subprocess.run(  # noqa: S603 - the product's own
        [str(faults.PROJECT / "scripts" / name), *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.monotonic() - started
    print(
        f"-- {name}: {took:.1f} s, exit {done.returncode}\n   " + done.stdout.strip().replace("\n", "\n   ")
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return took


def fill(people: int, messages: int, files: int) -> list[Any]:
    """Load the database; return some who are signed in, with a group of theirs each."""
    from django.core.files.base import ContentFile
    from django.utils import timezone

    from authentication.sessions import open_session
    from chat.tests.factories import make_many
    from core.models import Upload
    from core.uploads.files import save_file
    from groups.models import Group, GroupMember
    from users.models import User, UserProfile

    User.objects.bulk_create(
        User(username=f"p{n}", email=f"p{n}@example.org", status="active") for n in range(people)
    )
    crowd = list(User.objects.order_by("pk"))
    UserProfile.objects.bulk_create(
        (UserProfile(user=user, first_name=f"Ada {user.pk}") for user in crowd), ignore_conflicts=True
    )
    groups = [Group.objects.create(id=f"DRILL{n}", name=f"Team {n}", status="active") for n in range(GROUPS)]
    GroupMember.objects.bulk_create(
        GroupMember(group=groups[n % GROUPS], user=user) for n, user in enumerate(crowd)
    )
    since, apart = timezone.now() - timedelta(days=30), timedelta(milliseconds=20)
    make_many(*groups, count=messages // GROUPS, since=since, apart=apart)
    for n in range(files):
        content = os.urandom(200 + n % 20_000)
        key = save_file(f"uploads/{secrets.token_hex(16)}.bin", ContentFile(content))
        Upload.objects.create(
            key=key, owner=crowd[n % people], filename=f"{n}.bin", size=len(content), mime_type="text/plain"
        )
    return [(open_session(crowd[n], user_agent="drill"), groups[n % GROUPS].pk) for n in range(SIGNED_IN)]


def under_load(people: list[Any], backups: str) -> Live:
    """Make a backup while gunicorn takes writes; returns what was acknowledged before it began."""
    server = faults.http_server()
    server.start()
    live = Live(server.port)
    threads = [
        threading.Thread(target=live.write, args=(pair.access, group)) for pair, group in people[:WRITERS]
    ]
    threads.append(threading.Thread(target=live.delete))
    try:
        for thread in threads:
            thread.start()
        live.wait_for(AHEAD)
        before = list(live.acknowledged)
        script("backup.sh", backups, "--keep", "2")
    finally:
        live.is_over.set()
        for thread in threads:
            thread.join()
        server.stop()
    print(
        f"written meanwhile: {len(live.acknowledged)} messages, {live.uploads} files; deleted: {live.deleted}"
    )
    facts.expect("writes refused", len(live.refused), 0)
    for refusal in live.refused[:3]:
        print(refusal)
    live.acknowledged = before
    return live


def serve(people: list[Any]) -> None:
    """Let somebody of before the backup read, refresh, and write, on the restored system."""
    pair, group = people[-1]
    server = faults.http_server()
    server.start()
    try:
        faults.wait_until_ready(server)
        facts.expect("who was signed in reads", call(server.port, "users/me/", pair.access)[0], 200)
        status, fresh = call(server.port, "auth/refresh/", "", {"refresh_token": pair.refresh})
        facts.expect("refreshes", status, 200)
        status, _ = call(server.port, f"groups/{group}/messages", fresh["token"], {"text": "Again"})
        facts.expect("writes", status, CREATED)
        facts.expect("and is read", call(server.port, f"groups/{group}/messages", pair.access)[0], 200)
    finally:
        server.stop()


def drill(folder: Path, sizes: tuple[int, int, int], elsewhere: dict[str, str]) -> None:
    backups = str(folder / "backups")
    people = fill(*sizes)
    there = {"DB_NAME": f"{os.environ['DB_NAME']}_restored", **elsewhere}
    script("backup.sh", backups)
    newest = max((folder / "backups").glob("*Z"))
    live = facts.facts()
    facts.make_database(there["DB_NAME"])
    script("restore.sh", str(newest), **there)
    with facts.there(there):
        facts.compare("nothing was written", live, facts.facts())
    time.sleep(1.1)  # a backup's name is its second
    done = under_load(people, backups)
    newest = max((folder / "backups").glob("*Z"))
    script("restore.sh", str(newest), "--yes-replace", **there)
    with facts.there(there):
        facts.check_whole(newest, done.acknowledged)
        serve(people)


def run(variant: str, sizes: tuple[int, int, int]) -> None:
    """Drill one kind of storage in a process of its own: settings are read once."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        os.environ["DB_NAME"] = name = f"drill_{variant}"
        facts.make_database(name)
        store = faults.redis()
        ends.callback(store.stop)
        store.start()
        here, there = {"MEDIA_ROOT": str(folder / "live")}, {"MEDIA_ROOT": str(folder / "restored")}
        if variant == "bucket":
            sys.path.insert(0, str(faults.PROJECT))
            from core.tests.s3 import S3Server

            server = S3Server()
            ends.callback(server.end)
            here, there = (facts.bucket(server.base, prefix) for prefix in ("live", "restored"))
        faults.prepare(
            store.port,
            CHAT_BURST="100000",
            CHAT_PER_SECOND="1000",
            API_WRITES_PER_USER="",
            FILE_UPLOADS_PER_DAY="100000",
            **here,
        )
        drill(folder, sizes, there)


def main() -> None:
    if sys.argv[1:2] and sys.argv[1] in {"disk", "bucket"}:
        people, messages, files = (int(word) for word in sys.argv[2:])
        run(sys.argv[1], (people, messages, files))
        raise SystemExit(1 if facts.missed else 0)
    people, messages, files = [int(word) for word in sys.argv[1:]] + [2_000, 50_000, 3_000][
        len(sys.argv) - 1 :
    ]
    missed = 0
    for variant, count in (("disk", files), ("bucket", min(files, BUCKET_FILES))):
        print(f"\n== {variant}: {people} people, {messages} messages, {count} files", flush=True)
        words = [variant, str(people), str(messages), str(count)]
        missed += subprocess.run([sys.executable, __file__, *words], check=False).returncode != 0  # noqa: S603
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()
