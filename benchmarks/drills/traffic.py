"""Mixed traffic of many people at an even pace, what each request was answered, and the ledger of promises.

A person is a thread: it reads lists, posts, ticks, registers, uploads, refreshes and asks for links, in turn.
A write that was not acknowledged is sent again until it is, as a phone does; all of them may be repeated.
"""

from __future__ import annotations

import http.client
import json
import random
import time
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Final

from wire import TIMEOUT_SECONDS, UNAVAILABLE, Answer, Call, Wire

if TYPE_CHECKING:
    import ssl

    from world import Person, World

READS: Final = (
    *("users/me/", "groups/", "groups/my-groups/", "groups/{group}/", "groups/{group}/tasks/"),
    *("groups/{group}/messages", "groups/{group}/messages?limit=100", "tasks/mine/", "mentions/"),
    *("resources/", "events/", "announcements/", "notifications/", "notifications/unread/"),
    *("auth/sessions/", "users/me/supervisors/"),
)
WRITES: Final = {"message": 8, "task": 3, "seat": 3, "upload": 2, "refresh": 1, "sign-in": 1}
BOUNDARY: Final = "drill-boundary"


@dataclass
class Ledger:
    """What was acknowledged, as it stands after the last word on it."""

    messages: dict[str, int] = field(default_factory=dict)
    tasks: dict[int, bool] = field(default_factory=dict)
    seats: dict[tuple[int, int], bool] = field(default_factory=dict)
    uploads: set[str] = field(default_factory=set)
    links: int = 0

    def counts(self) -> dict[str, int]:
        return {
            "messages": len(self.messages),
            "tasks": len(self.tasks),
            "seats": len(self.seats),
            "uploads": len(self.uploads),
            "links": self.links,
        }


class Client:
    """One person's phone."""

    def __init__(self, traffic: Traffic, person: Person, number: int) -> None:
        self.traffic, self.person, self.number = traffic, person, number
        self.wire = Wire(traffic.base, traffic.context)
        self.random = random.Random(number)  # noqa: S311 - no secret
        kinds = [*("read",) * len(READS), *(kind for kind, share in WRITES.items() for _ in range(share))]
        self.deck = self.random.sample(kinds, len(kinds))
        self.sent = 0
        self.again: Call | None = None

    def run(self, start: float, period: float) -> None:
        turn = 0
        while not self.traffic.is_over.is_set():
            time.sleep(max(0.0, start + turn * period - time.monotonic()))
            turn = max(turn + 1, int((time.monotonic() - start) / period))
            self.act()
        for _ in range(100):  # what is still owed
            if self.again is None:
                break
            self.act()
            time.sleep(0.2)

    def act(self) -> None:
        call = self.again or self.next()
        answer = self.send(call)
        self.traffic.answers.append(answer)
        self.again = None if answer.is_good or call.method == "GET" else call

    def next(self) -> Call:
        kind = self.deck[self.sent % len(self.deck)]
        self.sent += 1
        name = f"{self.number}-{self.sent}"
        return getattr(self, f"new_{kind.replace('-', '_')}")(name)  # type: ignore[no-any-return]

    def send(self, call: Call) -> Answer:
        headers = {"Authorization": f"Bearer {self.person.access}"}
        if call.body is not None:
            headers["Content-Type"] = call.content_type
        began = time.monotonic()
        try:
            response, text = self.wire.ask(call, headers)
        except (OSError, http.client.HTTPException) as error:
            return Answer(call.kind, began, time.monotonic(), 0, type(error).__name__)
        return self.judged(call, response, text, began)

    def judged(self, call: Call, response: http.client.HTTPResponse, text: bytes, began: float) -> Answer:
        status, ended = response.status, time.monotonic()
        try:
            body = json.loads(text) if text else {}
        except ValueError:
            return Answer(call.kind, began, ended, status, "no JSON")
        if isinstance(body, dict) and call.also and body.get("code") == call.also:
            status = 200  # an earlier try had come through
        if 200 <= status < 300:  # noqa: PLR2004
            call.keep(body)
            return Answer(call.kind, began, ended, status)
        has_envelope = isinstance(body, dict) and {"error", "detail", "code"} <= body.keys()
        is_clean = has_envelope and (status != UNAVAILABLE or "Retry-After" in response.headers)
        return Answer(call.kind, began, ended, status, "" if is_clean else "not clean")

    def new_read(self, name: str) -> Call:
        path = READS[(self.number + self.sent) % len(READS)]
        return Call("read", "GET", path.format(group=self.person.group))

    def new_message(self, name: str) -> Call:
        def keep(body: Any) -> None:
            self.traffic.ledger.messages[name] = body["id"]

        body = json.dumps({"text": f"Message {name}", "clientId": name}).encode()
        return Call("message", "POST", f"groups/{self.person.group}/messages", body, keep=keep)

    def new_task(self, name: str) -> Call:
        tasks, task = self.traffic.ledger.tasks, self.person.task
        done = not tasks.get(task, False)
        path = f"groups/{self.person.group}/tasks/{task}/"
        body = json.dumps({"completed": done}).encode()
        return Call("task", "PUT", path, body, keep=lambda _: tasks.update({task: done}))

    def new_seat(self, name: str) -> Call:
        """Take a seat at each event in turn, and give it up the next time."""
        event = self.traffic.world.events[self.sent % len(self.traffic.world.events)]
        seats, pair = self.traffic.ledger.seats, (event, self.person.id)
        has = not seats.get(pair, False)
        path, method = f"events/{event}/register/", "POST" if has else "DELETE"
        return Call(
            "seat", method, path, keep=lambda _: seats.update({pair: has}), also="already_registered" * has
        )

    def new_upload(self, name: str) -> Call:
        filename = f"plan-{name}.txt"
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        body = f"{head}Content-Type: text/plain\r\n\r\nPlan {name}\r\n--{BOUNDARY}--\r\n".encode()
        form = f"multipart/form-data; boundary={BOUNDARY}"
        uploads = self.traffic.ledger.uploads
        return Call("upload", "POST", "uploads/", body, form, lambda _: uploads.add(filename))

    def new_refresh(self, name: str) -> Call:
        def keep(body: Any) -> None:
            self.person.access, self.person.refresh = body["token"], body["refresh_token"]

        body = json.dumps({"refresh_token": self.person.refresh}).encode()
        return Call("refresh", "POST", "auth/refresh/", body, keep=keep)

    def new_sign_in(self, name: str) -> Call:
        def keep(_: Any) -> None:
            self.traffic.ledger.links += 1

        body = json.dumps({"email": f"new{name}@example.org"}).encode()
        return Call("sign-in", "POST", "auth/magic-link/", body, keep=keep)


class Traffic:
    """All people at once, together ``per_second`` requests."""

    def __init__(
        self, base: str, world: World, *, per_second: float, context: ssl.SSLContext | None = None
    ) -> None:
        self.base, self.world, self.per_second, self.context = base, world, per_second, context
        self.ledger, self.answers = Ledger(), list[Answer]()
        self.is_over = Event()
        self.clients = [Client(self, person, n) for n, person in enumerate(world.people)]
        self.threads: list[Thread] = []

    def start(self) -> Traffic:
        period = len(self.clients) / self.per_second
        now = time.monotonic()
        for n, client in enumerate(self.clients):
            begin = now + n / self.per_second
            self.threads.append(Thread(target=client.run, args=[begin, period], daemon=True))
            self.threads[-1].start()
        return self

    def stop(self) -> None:
        """Ask for nothing new, and wait until all that is owed has been acknowledged."""
        self.is_over.set()
        for thread in self.threads:
            thread.join(2 * TIMEOUT_SECONDS)

    @property
    def stale(self) -> int:
        """Return how many kept connections were found closed, and opened anew."""
        return sum(client.wire.stale for client in self.clients)
