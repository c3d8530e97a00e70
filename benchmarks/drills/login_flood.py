"""Whether a flood of sign-in requests from one source hurts anybody else (SAFETY R15).

By hand, on private servers that end with it (``make drill PART=login_flood``):

    scripts/services.sh run -- .venv/bin/python benchmarks/drills/login_flood.py [PER_SECOND]

People read and write 20 times a second behind NGINX, which bounds each source as in production, and somebody
new signs in every second; then one source asks for links and tries codes, 200 times a second, from a process
of its own. Fails unless the p99 of the others at most doubles, nothing is a 5xx, all other sources get their
mails, and the flood gets no more than its budget.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
import subprocess
import sys
import time
from collections import Counter
from threading import Thread
from typing import TYPE_CHECKING, Final

import faults
from hub import ONE_SOURCE, Hub
from traffic import Traffic
from world import UNBOUNDED, make_world

if TYPE_CHECKING:
    from core.tests.smtp import SmtpServer

PEOPLE, PER_SECOND, FLOOD_PER_SECOND = 40, 20, 200
SECONDS: Final = 30
THREADS: Final = 8
BUDGET: Final = 120  # mails that one source may cause in 15 minutes: the default
PATIENCE_SECONDS: Final = 30


def line_from(source: str, port: int, certificate: str) -> http.client.HTTPSConnection:
    """Connect from an address of one's own: all of 127.0.0.0/8 is this machine (Linux)."""
    trust = ssl.create_default_context(cafile=certificate)
    return http.client.HTTPSConnection(
        faults.HOST, port, timeout=60, context=trust, source_address=(source, 0)
    )


def ask(line: http.client.HTTPSConnection, address: str, code: str = "") -> int:
    body = {"email": address, "code": code} if code else {"email": address}
    headers = {"Content-Type": "application/json"}
    path = "verify-otp" if code else "magic-link"
    line.request("POST", f"/api/auth/{path}/", json.dumps(body), headers)
    response = line.getresponse()
    response.read()
    return response.status


def flood(certificate: str, port: int, per_second: int) -> None:
    """Ask as another process would: for 30 s, two links to each code; print the statuses."""
    statuses: Counter[int] = Counter()

    def one(number: int) -> None:
        line = line_from("127.9.9.9", port, certificate)
        start, period = time.monotonic(), THREADS / per_second
        for n in range(int(SECONDS / period)):
            time.sleep(max(0.0, start + n * period - time.monotonic()))
            code = "000000" if n % 3 == 2 else ""  # noqa: PLR2004
            statuses[ask(line, f"victim{number}-{n}@example.org", code)] += 1

    threads = [Thread(target=one, args=[number]) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(statuses))


def newcomers(hub: Hub, name: str) -> tuple[list[str], Counter[int]]:
    """Have somebody ask for a link every second, each from a source of their own."""
    addresses = [f"{name}{n}@example.org" for n in range(SECONDS)]
    statuses: Counter[int] = Counter()
    for n, address in enumerate(addresses):
        line = line_from(f"127.0.{n + 1}.1", hub.port, str(hub.folder / "certificate.pem"))
        statuses[ask(line, address)] += 1
        line.close()
        time.sleep(1)
    return addresses, statuses


def quiet_and_flood(hub: Hub, traffic: Traffic, per_second: int) -> tuple[list[float], Counter[str]]:
    """Return the p99 of others without and with the flood, and what the flood was answered."""
    traffic.start()
    p99s, said = [], Counter[str]()
    for name in ("quiet", "flood"):
        traffic.answers.clear()
        certificate = str(hub.folder / "certificate.pem")
        command = [sys.executable, __file__, "--flood", certificate, str(hub.port), str(per_second)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE) if name == "flood" else None  # noqa: S603
        newcomers_of[name] = newcomers(hub, name)
        if process is not None:
            said.update(json.loads(process.communicate()[0]))
        answers = list(traffic.answers)
        p99s.append(faults.spread(f"{name}: others", [one.ended - one.began for one in answers]))
        bad = Counter(f"{one.kind} {one.status}" for one in answers if not one.is_good)
        print(f"{name}: others {len(answers)}, not answered well {dict(bad)}")
        said["others not answered well"] += sum(bad.values())
    traffic.stop()
    return p99s, said


newcomers_of: dict[str, tuple[list[str], Counter[int]]] = {}


def mails_are_right(smtp: SmtpServer) -> bool:
    """Print who got a mail; tell whether all others did, and the flood no more than its budget."""
    wanted = {address for addresses, _ in newcomers_of.values() for address in addresses}
    over = time.monotonic() + PATIENCE_SECONDS
    while wanted - {taken.to for taken in smtp.taken} and time.monotonic() < over:
        time.sleep(0.2)
    got = {taken.to for taken in smtp.taken}
    floods = sum(taken.to.startswith("victim") for taken in smtp.taken)
    answers = sum((statuses for _, statuses in newcomers_of.values()), Counter[int]())
    print(f"newcomers {dict(answers)}, mailed {len(wanted & got)} of {len(wanted)}; the flood {floods} mails")
    return wanted <= got and floods <= BUDGET and set(answers) == {200}


def nginx_as_it_comes() -> dict[str, str]:
    """Return NGINX's own limits of a source, which drills lift otherwise."""
    lines = (faults.PROJECT / "deploy/nginx/nginx.env").read_text().splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines) if name in ONE_SOURCE}


def main() -> int:
    per_second = int(sys.argv[1]) if len(sys.argv) > 1 else FLOOD_PER_SECOND
    sys.path.insert(0, str(faults.PROJECT))
    from core.tests.smtp import SmtpServer

    smtp = SmtpServer().start()
    limits = {"MAGIC_LINK_PER_SOURCE": f"{BUDGET}/15m", "MAGIC_LINK_PER_ADDRESS": "1/30s,5/15m"}
    mail = {"EMAIL_HOST": faults.HOST, "EMAIL_PORT": str(smtp.port)}
    os.environ.update({**UNBOUNDED, **limits, **mail})
    hub = Hub(**nginx_as_it_comes())
    try:
        hub.start()
        hub.set_up_django()
        traffic = Traffic(hub.base, make_world(PEOPLE), per_second=PER_SECOND, context=hub.trust)
        p99s, said = quiet_and_flood(hub, traffic, per_second)
        mails = mails_are_right(smtp)
    finally:
        hub.stop()
        smtp.stop()
    print(f"the flood was answered {dict(said)}; p99 of others {p99s[1] / p99s[0]:.2f} times that without it")
    only_refused = not said.pop("others not answered well") and set(said) <= {"200", "400", "429"}
    is_right = mails and only_refused and said["429"] > 0 and p99s[1] <= 2 * p99s[0]
    return faults.verdict(is_right=is_right)


if __name__ == "__main__":
    if "--flood" in sys.argv:
        flood(sys.argv[2], *map(int, sys.argv[3:]))
    else:
        sys.exit(main())
