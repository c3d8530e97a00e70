"""clients/typescript against real servers: its own tests in Node, and what it builds in Chromium."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import threading
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.cache import cache
from django.test import SimpleTestCase, TransactionTestCase, tag
from django.utils import timezone

from authentication.models import RefreshToken
from authentication.sessions import open_session
from authentication.tokens import OurAccess
from btf_backend.tests.served import Desk, Served
from chat.tests.factories import make_message
from core.browser_testing import chromium
from core.tests.smtp import HOST
from groups.tests.factories import make_group
from users.tests.factories import make_admin, make_user

if TYPE_CHECKING:
    from groups.models import Group
    from users.models import User

CLIENT: Final = Path(settings.BASE_DIR) / "clients" / "typescript"
PATIENCE_SECONDS: Final = 240
PUBLIC: Final = "https://registry.npmjs.org/"
TEAMS: Final = (
    *("signing", "throttled", "requests", "etags", "twice", "long", "files", "expired", "tabs", "offline"),
    *("clock", "talk", "cut", "killed", "after", "gap", "refused", "sessions", "inbox"),
    *("hello", "hidden", "closing", "stale", "throwing", "shared", "device", "leaving"),
)


@dataclass(frozen=True)
class Team:
    """A group of two, of whom one test alone knows."""

    group: Group
    ada: User
    bo: User


def make_team() -> Team:
    ada, bo = make_user(first_name="Ada"), make_user(first_name="Bo")
    return Team(make_group(members=[ada, bo]), ada, bo)


def signed_in(user: User) -> dict[str, Any]:
    """Return a person as the client's tests know one: with tokens of one session."""
    pair = open_session(user, user_agent="hub-client/1.0.0")
    expired = OurAccess(pair.access)  # type: ignore[arg-type]  # the stubs say Token
    expired.set_exp(from_time=timezone.now() - timedelta(hours=2), lifetime=timedelta(hours=1))
    told = {"access": pair.access, "refresh": pair.refresh, "expired": str(expired)}
    return {"id": user.pk, "email": user.email, **told}


def built() -> None:
    """Build the client where it has changed; one process at a time."""
    with (CLIENT / "package.json").open(encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run([str(Path(settings.BASE_DIR) / "scripts" / "client.sh"), "build"])


def run(command: list[str], **environment: str) -> str:
    """Run something in the client's folder; what it says where it fails is what the test says."""
    with subprocess.Popen(  # noqa: S603 - ours
        command,
        cwd=CLIENT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        hurry = threading.Timer(PATIENCE_SECONDS, os.killpg, (process.pid, signal.SIGKILL))
        hurry.start()
        said, _ = process.communicate()
        hurry.cancel()
    if process.returncode:
        raise AssertionError(f"{' '.join(command)}: {process.returncode}\n{said}")
    return said


class ServedCase(TransactionTestCase):
    """Somebody's client, and servers for it."""

    def serve(self, **options: Any) -> Served:
        built()
        cache.clear()
        served = Served(**options)
        self.addCleanup(served.end)
        return served.start()


class PackageTests(SimpleTestCase):
    lock: dict[str, Any]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.lock = json.loads((CLIENT / "package-lock.json").read_text(encoding="utf-8"))

    def test_its_version_is_that_of_the_api(self) -> None:
        package = json.loads((CLIENT / "package.json").read_text(encoding="utf-8"))
        source = (CLIENT / "src" / "version.ts").read_text(encoding="utf-8")
        version = settings.SPECTACULAR_SETTINGS["VERSION"]

        self.assertEqual([package["version"], self.lock["version"]], [version, version])
        self.assertIn(f'VERSION = "{version}"', source)

    def test_what_is_pinned_comes_from_the_public_registry_and_is_known_by_its_digest(self) -> None:
        """A lock made behind somebody's own registry would send all others there."""
        packages = {name: pinned for name, pinned in self.lock["packages"].items() if name}

        self.assertGreater(len(packages), 20)
        for name, pinned in packages.items():
            with self.subTest(name):
                self.assertRegex(pinned.get("resolved", PUBLIC), f"^{PUBLIC}")
                self.assertRegex(pinned["integrity"], "^sha512-")


@tag("node", "served")
class NodeTests(ServedCase):
    def test_the_client_s_own_tests_pass_against_real_servers(self) -> None:
        teams = {name: make_team() for name in TEAMS}
        for number in range(45):
            make_message(group=teams["long"].group, author=teams["long"].ada, text=f"Plate {number}")
        admin = signed_in(make_admin())
        people = {
            name: {"group": team.group.pk, "ada": signed_in(team.ada), "bo": signed_in(team.bo)}
            for name, team in teams.items()
        }
        served = self.serve()
        desk = Desk(served)
        self.addCleanup(desk.end)
        places = {
            "url": f"http://{HOST}:{served.port}",
            "sockets": f"ws://{HOST}:{served.socket_port}",
            "desk": desk.url,
        }

        said = run(["npm", "test"], HUB_WORLD=json.dumps({**places, "admin": admin, "teams": people}))

        self.assertRegex(said, r"pass [1-9]\d[\s\S]*skipped 0")
        if settings.ON_POSTGRESQL:  # else the servers' database is a copy
            self.assertEqual(self.tokens_of(teams["expired"].ada), 2)
            self.assertEqual(self.tokens_of(teams["expired"].bo), 2)

    def tokens_of(self, user: User) -> int:
        """Count a person's refresh tokens, of which each refresh has made one more."""
        return RefreshToken.objects.filter(session__user=user).count()


# What a page does, which is of another origin than the server; what it returns is judged below.
ASK_FOR_A_CODE: Final = """async ({url, email}) => {
    globalThis.client = hub.createHubClient({baseUrl: url.http, socketUrl: url.sockets});
    await client.requestCode(email);
    const again = await client.requestCode(email).catch((error) => error);
    return [again.code, again.retryAfter > 0, again.requestId.length > 0];
}"""
SIGN_IN: Final = """async ({email, code}) => {
    const user = await client.signIn({email, code});
    const {data, response} = await client.get("/api/users/me/");
    return [user.id, data.id, response.headers.get("ETag") !== null];
}"""
TALK: Final = """async ({url, group, friend}) => {
    const open = (one) => new Promise((resolve) => {
        const heard = [];
        const chat = hub.openChat({
            client: one,
            groupId: group,
            onEvent: ({payload}) => heard.push(payload.text),
            onStatus: ({state}) => state === "open" && resolve({chat, heard}),
        });
    });
    const tokens = hub.memoryTokens(friend);
    const other = hub.createHubClient({baseUrl: url.http, socketUrl: url.sockets, tokens});
    const [mine, theirs] = await Promise.all([open(client), open(other)]);
    const file = await hub.upload(client, new File(["agar"], "list.txt", {type: "text/plain"}));
    await mine.chat.send({text: "Hello", attachments: [file]});
    await theirs.chat.send({text: "Hello to you"});
    while (mine.heard.length + theirs.heard.length < 4) await new Promise((go) => setTimeout(go, 20));
    for await (const {text, attachments} of hub.history(other, group)) {
        if (text === "Hello") file.text = await (await hub.download(other, attachments[0].file_url)).text();
    }
    mine.chat.close();
    theirs.chat.close();
    return [mine.heard, theirs.heard, file.text];
}"""
TWENTY_AT_ONCE: Final = """async ({url, friend}) => {
    let refreshes = 0;
    const tokens = hub.memoryTokens({access: friend.expired, refresh: friend.refresh});
    const counting = (request) => {
        refreshes += request.url.endsWith("/api/auth/refresh/");
        return fetch(request);
    };
    const one = hub.createHubClient({baseUrl: url.http, tokens, fetch: counting});
    const answers = await Promise.all([...Array(20)].map(() => one.get("/api/users/me/")));
    return [answers.filter(({data}) => data.id === friend.id).length, refreshes];
}"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@tag("browser", "node", "served")
class BrowserTests(ServedCase):
    def test_a_page_of_another_origin_signs_in_talks_and_refreshes_once(self) -> None:
        team = make_team()
        friend = signed_in(team.bo)
        pages = self.pages()
        served = self.serve(origin=pages)
        url = {"http": f"http://{HOST}:{served.port}", "sockets": f"ws://{HOST}:{served.socket_port}"}
        page = self.enterContext(chromium()).new_page()
        page.goto(f"{pages}/test/page.html")
        page.wait_for_function("() => globalThis.hub")
        told = {"url": url, "email": team.ada.email, "group": team.group.pk, "friend": friend}

        asked = page.evaluate(ASK_FOR_A_CODE, told)
        code = served.code_for(team.ada.email)
        signed = page.evaluate(SIGN_IN, {**told, "code": code})
        talked = page.evaluate(TALK, told)
        refreshed = page.evaluate(TWENTY_AT_ONCE, told)

        self.assertEqual(asked, ["throttled", True, True])
        self.assertEqual(signed, [team.ada.pk, team.ada.pk, True])
        self.assertEqual(talked, [["Hello", "Hello to you"], ["Hello", "Hello to you"], "agar"])
        self.assertEqual(refreshed, [20, 1])

    def pages(self) -> str:
        """Serve the client's folder; return the origin of its pages."""
        server = ThreadingHTTPServer((HOST, 0), partial(Quiet, directory=str(CLIENT)))
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://{HOST}:{server.server_port}"
