"""What exporting 50,000 people costs a server: seconds, bytes, and how far its memory grows.

By hand, on a private PostgreSQL and Redis that end with it:

    scripts/services.sh run -- .venv/bin/python -m benchmarks.export_memory [ROWS]

Fills the database, then exports once from gunicorn (WSGI, as in production) and once from daphne (ASGI, as
``runserver`` serves; with ``-W error``). Fails where a server grows by 100 MiB or more. Linux alone:
memory is read from ``/proc``.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

PROJECT: Final = Path(__file__).resolve().parent.parent
BIN: Final = Path(sys.executable).parent
LIMIT_MIB: Final = 100
PIECE: Final = 65_536
BIO: Final = "Likes engines, and everything that grows.\nReads a lot, asks more. " * 4
ENVIRONMENT: Final = {
    "DJANGO_SETTINGS_MODULE": "btf_backend.settings",
    "SECRET_KEY": secrets.token_hex(32),
    "DEBUG": "false",
    "SECURE_SSL_REDIRECT": "false",
    "ALLOWED_HOSTS": "127.0.0.1",
    "FRONTEND_BASE_URL": "https://hub.example.org",
    "CORS_ALLOWED_ORIGINS": "https://hub.example.org",
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "EMAIL_HOST": "smtp.example.org",
}
SERVERS: Final = {
    "gunicorn": [
        *(str(BIN / "gunicorn"), "btf_backend.wsgi", "--worker-class", "gthread", "--workers", "1"),
        *("--threads", "2", "--no-control-socket", "--log-level", "warning", "--bind"),
    ],
    "daphne": [sys.executable, "-W", "error", "-m", "daphne", "-v", "0", "btf_backend.asgi:application"],
}


def fill(rows: int) -> str:
    """Store people with profiles, and an admin; return an access token of the admin's."""
    import django

    django.setup()
    from django.core.management import call_command

    from authentication.sessions import open_session
    from users.models import User, UserProfile

    call_command("migrate", verbosity=0)
    made = User.objects.bulk_create(
        (
            User(username=f"u{n}", email=f"person{n}@example.org", first_name=f"Ada {n}", last_name="King")
            for n in range(rows)
        ),
        batch_size=5_000,
    )
    UserProfile.objects.bulk_create(
        (UserProfile(user=user, first_name="Ada", bio=BIO, areas_of_interest=["genetics"]) for user in made),
        batch_size=5_000,
    )
    admin = User.objects.create_user(email="admin@example.org", role="admin", status="active")
    return open_session(admin, user_agent="").access


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def serving_process(server: subprocess.Popen[Any]) -> int:
    """Return who answers: gunicorn's worker, or the process itself where it has no child."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    return int(children[0]) if children else server.pid


def memory(pid: int, field: str) -> float:
    """Return VmRSS (now) or VmHWM (the peak) of a process, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith(f"{field}:")]
    return int(line.split()[1]) / 1024


def read(url: str, token: str) -> tuple[int, int]:
    """Download; return bytes, and lines beyond the header. Keeps nothing of it."""
    request = Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - our own server
    size = lines = 0
    with urlopen(request, timeout=300) as response:  # noqa: S310
        while piece := response.read(PIECE):
            size += len(piece)
            lines += piece.count(b"\r\n")
    return size, lines - 1


def wait_for(url: str) -> None:
    for _ in range(100):
        try:
            urlopen(url, timeout=2).close()  # noqa: S310
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit(f"{url} does not answer")


def measure(name: str, token: str) -> bool:
    """Print what one export costs that server; tell whether it stayed within the limit."""
    port = free_port()
    base = f"http://127.0.0.1:{port}/api"
    where = [f"127.0.0.1:{port}"] if name == "gunicorn" else ["-b", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen([*SERVERS[name], *where], cwd=PROJECT) as server:  # noqa: S603 - the lists above
        try:
            wait_for(f"{base}/health/live/")
            read(f"{base}/admin/users/export/?role=admin", token)  # what is loaded at first use is no growth
            pid = serving_process(server)
            before, started = memory(pid, "VmRSS"), time.perf_counter()
            size, rows = read(f"{base}/admin/users/export/", token)
            seconds, peak = time.perf_counter() - started, memory(pid, "VmHWM")
        finally:
            server.terminate()
    print(f"{name}: {rows} rows, {size} bytes, {seconds:.1f} s, RSS {before:.1f} -> peak {peak:.1f} MiB")
    return peak - before < LIMIT_MIB


def main() -> None:
    if "DB_PORT" not in os.environ:
        raise SystemExit(__doc__)
    os.environ.update(ENVIRONMENT)
    sys.path.insert(0, str(PROJECT))
    token = fill(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
    grown = [name for name in SERVERS if not measure(name, token)]
    if grown:
        raise SystemExit(f"Grew by {LIMIT_MIB} MiB or more: {', '.join(grown)}")


if __name__ == "__main__":
    main()
