"""How many codes a stranger may try, and who still gets in meanwhile (SAFETY R11, R12).

By hand, on a private PostgreSQL that ends with it (``make drill PART=guesses``):

    scripts/services.sh run -- .venv/bin/python benchmarks/drills/guesses.py

Codes are mailed and tried over gunicorn; the source of a try is what the proxy in front would say. Fails
unless each bound below holds under 200 tries at once, the owner gets in by a known browser and by the mailed
link all the while, and of 12 parallel uses of one secret exactly one opens a session, in 50 rounds.
"""

from __future__ import annotations

import http.client
import json
import re
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import faults

if TYPE_CHECKING:
    from core.tests.smtp import SmtpServer

AT_ONCE: Final = 200
CHALLENGES: Final = 10
PER_CHALLENGE, PER_ACCOUNT, OF_ALL = 5, 20, 2_000
USES, ROUNDS = 12, 50
SECRETS: Final = re.compile(rb"token=([\w-]+).*?One-Time Code: (\d{6})", re.DOTALL)
GOOD, BAD = 200, 400
GOAL: Final = 2e-5


@dataclass
class Desk:
    """Asks for mails, reads them, and tries what stands there."""

    port: int
    smtp: SmtpServer

    def ask(
        self, path: str, body: Any, *, source: str = "10.0.0.1", cookie: str = ""
    ) -> tuple[int, dict[str, str]]:
        headers = {"Content-Type": "application/json", "X-Forwarded-For": source, "Cookie": cookie}
        line = http.client.HTTPConnection(faults.HOST, self.port, timeout=60)
        line.request("POST", f"/api/auth/{path}/", json.dumps(body), headers)
        response = line.getresponse()
        response.read()
        line.close()
        return response.status, dict(response.headers)

    def mailed(self, address: str) -> tuple[str, str]:
        """Return token and code of a new mail."""
        before = len(self.smtp.to(address))
        self.ask("magic-link", {"email": address})
        over = time.monotonic() + 60
        while len(self.smtp.to(address)) == before:
            if time.monotonic() > over:
                raise SystemExit("FAILED: no mail came")
            time.sleep(0.02)
        part = self.smtp.to(address)[-1].message.get_body(("plain",))
        found = SECRETS.search(part.get_content().encode()) if part else None
        if found is None:
            raise SystemExit("FAILED: a mail without link and code")
        return found[1].decode(), found[2].decode()

    def by_code(self, address: str, code: str, *, source: str = "10.0.0.1", cookie: str = "") -> int:
        return self.ask("verify-otp", {"email": address, "code": code}, source=source, cookie=cookie)[0]

    def by_link(self, token: str) -> int:
        return self.ask("verify", {"token": token})[0]

    def known_browser(self, address: str) -> str:
        """Sign in, and return the cookie by which the browser is known from then on."""
        _, code = self.mailed(address)
        _, headers = self.ask("verify-otp", {"email": address, "code": code})
        return headers["Set-Cookie"].partition(";")[0]


def wrong(code: str, number: int) -> str:
    """Return one of the codes that are not the right one."""
    return f"{(int(code) + 1 + number) % 1_000_000:06d}"


def judged(source: str) -> int:
    """Return how many wrong codes of a source have been compared today: each is counted once it was."""
    from django.core.cache import cache

    from authentication.challenges import account_key, wrong_guesses

    return cache.get(f"{wrong_guesses()}:{account_key(source)}") or 0


def one_challenge(desk: Desk, pool: ThreadPoolExecutor) -> bool:
    address, source = "alone@example.org", "10.0.1.1"
    _, code = desk.mailed(address)
    tries = [wrong(code, n) for n in range(AT_ONCE)]
    statuses = Counter(pool.map(lambda guess: desk.by_code(address, guess, source=source), tries))
    right_one = desk.by_code(address, code, source=source)
    print(
        f"{AT_ONCE} tries at once on one code: {dict(statuses)}, compared {judged(source)} (bound "
        f"{PER_CHALLENGE}); the right one afterwards {right_one}"
    )
    return judged(source) <= PER_CHALLENGE and set(statuses) == {BAD} and right_one == BAD


def one_account(desk: Desk, pool: ThreadPoolExecutor) -> bool:
    """Attack ten codes of one account; see who gets in afterwards."""
    address, source = "owner@example.org", "10.0.2.1"
    cookie = desk.known_browser(address)
    for _ in range(CHALLENGES):
        _, code = desk.mailed(address)
        tries = [wrong(code, n) for n in range(AT_ONCE)]
        list(pool.map(lambda guess: desk.by_code(address, guess, source=source), tries))
    compared = judged(source)
    _, code = desk.mailed(address)
    stranger = desk.by_code(address, code, source=source)
    owner = desk.by_code(address, code, cookie=cookie)
    link = desk.by_link(desk.mailed(address)[0])
    print(
        f"{CHALLENGES * AT_ONCE} tries on {CHALLENGES} codes of one account: compared {compared} (bound "
        f"{PER_ACCOUNT} a day); then stranger {stranger}, known browser {owner}, link {link}"
    )
    bound = compared / 1_000_000
    print(f"so a stranger's chance at an account is {bound:.1e} a day (goal {GOAL:.0e})")
    return compared <= PER_ACCOUNT and (stranger, owner, link) == (BAD, GOOD, GOOD) and bound <= GOAL


def whole_programme(desk: Desk, pool: ThreadPoolExecutor, web: faults.Server) -> bool:
    """Attack many accounts from many sources until codes are off; see who gets in."""
    from django.core.cache import cache

    from authentication.challenges import wrong_guesses

    cookie = desk.known_browser("known@example.org")
    accounts = [f"pupil{n}@example.org" for n in range(OF_ALL // PER_CHALLENGE + 50)]

    def attack(number: int) -> None:
        desk.ask("magic-link", {"email": accounts[number]})
        for n in range(PER_CHALLENGE):
            desk.by_code(accounts[number], f"{n:06d}", source=f"10.1.{number % 60}.1")

    list(pool.map(attack, range(len(accounts))))
    total = cache.get(wrong_guesses())
    _, code = desk.mailed("fresh@example.org")
    token, _ = desk.mailed("linked@example.org")
    stranger, link = desk.by_code("fresh@example.org", code), desk.by_link(token)
    owner = desk.by_code("known@example.org", desk.mailed("known@example.org")[1], cookie=cookie)
    told = web.told().count("code_brake_on")
    print(
        f"{len(accounts) * PER_CHALLENGE} tries on all: {total} compared (brake at {OF_ALL}), told {told}x"
        f"; then stranger {stranger}, known browser {owner}, link {link}"
    )
    slack = AT_ONCE  # those who asked before the last one counted
    is_on = OF_ALL <= total <= OF_ALL + slack and told == 1
    return is_on and (stranger, owner, link) == (BAD, GOOD, GOOD)


def one_secret(desk: Desk, pool: ThreadPoolExecutor) -> bool:
    from authentication.models import SignInSession

    answers: Counter[tuple[int, ...]] = Counter()
    before = SignInSession.objects.count()
    for number in range(ROUNDS):
        address = f"round{number}@example.org"
        token, code = desk.mailed(address)
        by_link = number % 2
        statuses = pool.map(
            lambda _, a=address, t=token, c=code, link=by_link: (
                desk.by_link(t) if link else desk.by_code(a, c)
            ),
            range(USES),
        )
        answers[tuple(sorted(statuses))] += 1
    sessions = SignInSession.objects.count() - before
    print(f"{ROUNDS} rounds of {USES} parallel uses: {dict(answers)}, sessions {sessions}")
    return answers == {(GOOD, *(BAD,) * (USES - 1)): ROUNDS} and sessions == ROUNDS


def main() -> int:
    redis = faults.redis()
    redis.start()
    sys.path.insert(0, str(faults.PROJECT))
    from core.tests.smtp import SmtpServer

    smtp = SmtpServer().start()
    off = dict.fromkeys(("MAGIC_LINK_PER_ADDRESS", "MAGIC_LINK_PER_SOURCE", "VERIFY_PER_SOURCE"), "")
    mail = {"EMAIL_HOST": faults.HOST, "EMAIL_PORT": str(smtp.port)}
    faults.prepare(redis.port, TRUSTED_PROXY_COUNT="1", **mail, **off)
    web, worker = faults.http_server(workers=2), faults.worker("sign-in")
    try:
        for server in (web, worker):
            server.start()
        faults.wait_until_ready(web)
        desk = Desk(web.port, smtp)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            results = [one_secret(desk, pool), one_challenge(desk, pool), one_account(desk, pool)]
            results.append(whole_programme(desk, pool, web))
    finally:
        faults.stop(worker, web, redis, smtp)
    return faults.verdict(is_right=all(results))


if __name__ == "__main__":
    sys.exit(main())
