"""What a day leaves behind (SAFETY B40): no secret and no personal datum in logs, Redis, queue or audit.

By hand, on private servers that end with it (``make drill PART=traces``):

    scripts/services.sh run -- .venv/bin/python benchmarks/drills/traces.py

Six people live through the whole topology behind NGINX: they sign in by code and by link, refresh, open
sockets with token and ticket in the URL, fill in phones and check numbers, write, are searched for, mistype,
follow a calendar and unsubscribe; one is erased in the end. Then every log, every key and value of Redis, and
every row of every table is searched for each of their secrets.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import faults
from hub import Hub

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.tests.smtp import SmtpServer

PEOPLE: Final = 6
PATIENCE_SECONDS: Final = 30
TOKEN: Final = re.compile(r"verify\?token=([\w-]+)")
CODE: Final = re.compile(r"Code: (\d{6})")
# Where an address or a phone has its place; a token or a code has none in the whole database.
HOMES: Final = {"users", "user_profiles", "supervisor_profiles"}


class Day:
    """The requests of some people, and the secrets that they held."""

    def __init__(self, hub: Hub, mailbox: SmtpServer) -> None:
        self.hub, self.mailbox = hub, mailbox
        self.personal: set[str] = set()  # has a home
        self.secret: set[str] = set()  # has none
        self.statuses: Counter[int] = Counter()

    def ask(self, method: str, path: str, body: Any = None, token: str = "", **headers: str) -> Any:
        """Return the body of an answer; whatever its status."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        given = {"Content-Type": "application/json", "Origin": self.hub.base, "Referer": self.hub.base + path}
        if token:
            given["Authorization"] = f"Bearer {token}"
        request = Request(self.hub.base + path, content, {**given, **headers}, method=method)  # noqa: S310
        try:
            with urlopen(request, timeout=20, context=self.hub.trust) as answer:  # noqa: S310
                status, text = answer.status, answer.read()
        except HTTPError as error:
            status, text = error.code, error.read()
        self.statuses[status] += 1
        return json.loads(text) if text[:1] in {b"{", b"["} else text

    def mailed(self, address: str) -> tuple[str, str]:
        """Return link token and code of somebody's newest mail."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not (mails := self.mailbox.to(address)):
            if time.monotonic() > until:
                raise SystemExit("No mail came.")
            time.sleep(0.1)
        body = mails[-1].message.get_body(("plain",))
        text = body.get_content() if body is not None else ""
        token, code = TOKEN.findall(text)[0], CODE.findall(text)[0]
        self.secret |= {token}
        return token, code

    def sign_in(self, address: str, *, by_link: bool) -> dict[str, Any]:
        self.personal.add(address)
        self.ask("POST", "/api/auth/magic-link/", {"email": address})
        token, code = self.mailed(address)
        self.ask("GET", f"/auth/verify?token={token}")
        self.ask("POST", "/api/auth/verify-otp/", {"email": address, "code": "000000"})
        if by_link:
            pair = self.ask("POST", "/api/auth/verify/", {"token": token})
        else:
            pair = self.ask("POST", "/api/auth/verify-otp/", {"email": address, "code": code})
        self.secret |= {pair["token"], pair["refresh_token"]}
        fresh = self.ask("POST", "/api/auth/refresh/", {"refresh_token": pair["refresh_token"]})
        self.secret |= {fresh["token"], fresh["refresh_token"]}
        return {**pair, **fresh}

    def knock(self, path: str, token: str) -> None:
        """Open a socket as far as NGINX and uvicorn write of it."""
        key = {"Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw==", "Sec-WebSocket-Version": "13"}
        request = Request(f"{self.hub.base}{path}{token}", headers={**key, "Upgrade": "websocket"})  # noqa: S310
        try:
            urlopen(request, timeout=3, context=self.hub.trust).close()  # noqa: S310
        except OSError as error:
            self.statuses[getattr(error, "code", 0)] += 1

    def live(self, number: int, admin: str) -> None:
        """Let one person do what leaves traces."""
        address, phone = f"wanda.traces{number}@secret-school.example", f"0491 570 1{number:02d}"
        check, guardian = f"WWC77{number}5E", f"mum.of.wanda{number}@home.example"
        me = self.sign_in(address, by_link=number % 2 == 0)
        access = me["token"]
        self.personal |= {phone, check, guardian}
        profile = {"phoneNumber": phone, "wwccNumber": check}
        self.ask("PATCH", "/api/users/me/", {"supervisorProfile": profile}, access)
        self.ask("PATCH", "/api/users/me/", {"profile": {"guardianEmail": guardian}}, access)
        self.ask("PATCH", "/api/users/me/", {"email": "not an address", "phone": phone}, access)
        for kind in ("session/", "notifications/", "chat/groups/TRACES/"):
            ticket = self.ask("POST", "/api/ws/ticket/", {}, access).get("ticket", "")
            self.secret |= {ticket} - {""}
            self.knock(f"/ws/{kind}?ticket=", ticket)
            self.knock(f"/ws/{kind}?token=", access)
        self.ask("POST", "/api/groups/TRACES/messages", {"text": "Hello"}, access)
        feed = self.ask("POST", "/api/users/me/calendar/", {}, access)
        for link in re.findall(r"/calendar/[\w-]+", json.dumps(feed) if isinstance(feed, dict) else ""):
            self.secret.add(link.removeprefix("/calendar/"))
            self.ask("GET", f"{link}.ics")
        key = f"retry-{number}-{phone.replace(' ', '')}"
        self.ask("POST", "/api/admin/users/", {"email": guardian}, admin, **{"Idempotency-Key": key})
        self.secret.add(key)
        self.ask("GET", f"/api/admin/users/?search={quote(address)}", None, admin)
        self.ask("GET", f"/api/admin/users/export/?search={quote(guardian)}", None, admin)
        self.ask("GET", f"/api/users/me/?email={quote(address)}", None, access + "x")
        self.ask("POST", "/api/users/me/", b'{"email": "' + address.encode() + b'"', access)
        self.ask("GET", f"/api/notifications/unsubscribe/{me['refresh_token'][-40:]}/")
        self.ask("POST", "/api/auth/logout/", {"refresh_token": me["refresh_token"]})


def stored() -> Iterator[tuple[str, str]]:
    """Yield the name and the content of every table, as ``pg_dump`` would write it."""
    from django.db import connection

    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT t::text FROM "{table}" t')  # noqa: S608 - a table's own name
            yield table, "\n".join(row[0] for row in cursor.fetchall())


def kept_in_redis() -> str:
    """Return every key and value that Redis holds."""
    from redis import Redis

    client = Redis.from_url(os.environ["REDIS_URL"])
    return "\n".join(f"{key!r} {client.dump(key)!r}" for key in client.scan_iter())


def places(hub: Hub) -> dict[str, tuple[str, bool]]:
    """Return each text that is searched, by name, and whether what is personal may stand there."""
    found = {f"log {name}": (text, False) for name, text in hub.logs().items() if name != "mail.log"}
    servers = Path(os.environ["SERVICES_FOLDER"]) / "servers"
    found |= {f"log {path.name}": (path.read_text(errors="replace"), False) for path in servers.glob("*.log")}
    found["redis"] = (kept_in_redis(), False)
    return found | {f"table {table}": (text, table in HOMES) for table, text in stored()}


def main() -> None:
    from core.tests.smtp import SmtpServer

    mailbox = SmtpServer().start()
    lifted = {"MAGIC_LINK_PER_ADDRESS": "", "EMAIL_HOST": mailbox.settings["EMAIL_HOST"]}
    hub = Hub(EMAIL_PORT=str(mailbox.port), **lifted).start()
    try:
        hub.set_up_django()
        from authentication.sessions import open_session
        from groups.models import Group
        from users.models import User

        Group.objects.create(id="TRACES", name="Traces", status="active")
        admin = User.objects.create_user(
            email="desk.traces@secret-school.example", role="admin", status="active"
        )
        pair = open_session(admin, user_agent="drill")
        day = Day(hub, mailbox)
        day.personal.add(admin.email)
        day.secret |= {pair.access, pair.refresh}
        for number in range(PEOPLE):
            day.live(number, pair.access)
        gone = User.objects.get(email=f"wanda.traces{PEOPLE - 1}@secret-school.example")
        day.ask("DELETE", f"/api/admin/users/{gone.pk}/", None, pair.access)
        time.sleep(3)
        sys.exit(report(day, places(hub), gone.email))
    finally:
        hub.stop()
        mailbox.stop()


def report(day: Day, searched: dict[str, tuple[str, bool]], gone: str) -> int:
    """Print what was searched and found; return 1 where a secret has left a trace."""
    hits: Counter[str] = Counter()
    for name, (text, is_home) in searched.items():
        looked_for = day.secret | (set() if is_home else day.personal) | {gone}
        hits[name] = sum(secret in text for secret in looked_for)
    print(f"answers by status                 {dict(sorted(day.statuses.items()))}")
    print(f"secrets looked for                {len(day.secret)} without a home, {len(day.personal)} personal")
    print(f"characters searched               {sum(len(text) for text, _ in searched.values())}")
    print(f"logs, tables, Redis searched      {len(searched)}")
    for name, count in sorted(hits.items()):
        if count:
            print(f"FOUND                             {name}: {count}")
    print(f"hits                              {sum(hits.values())}")
    return 1 if sum(hits.values()) else 0


if __name__ == "__main__":
    sys.path.insert(0, str(faults.PROJECT))
    main()
