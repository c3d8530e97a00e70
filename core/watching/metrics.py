"""Every number that processes count for Prometheus. Labels are words of the code, never of a client.

Whoever counts imports this module and calls ``inc``, ``dec`` or ``observe``: that costs some microseconds
and never fails for want of a store. What is counted once for the whole programme, since the database knows
it, is in ``core.watching.backlog``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from core.watching import owners

FOLDER: Final = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")

if FOLDER:
    # The library decides at its import whether it counts in files, and wants the folder to be there.
    Path(FOLDER).mkdir(parents=True, exist_ok=True)
    owners.sign(Path(FOLDER))
    os.register_at_fork(after_in_child=lambda: owners.sign(Path(FOLDER)))

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram  # noqa: E402 - see above

registry: Final = CollectorRegistry()

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
QUERIES: Final = (0, 1, 2, 3, 5, 8, 12, 20, 40, 80)
# What servers and clients close with (RFC 6455 7.4.1, and ours): any other is "other".
CLOSE_CODES: Final = {1000, 1001, 1005, 1006, 1011, 1012, 1013, 4401, 4403, 4404, 4429}


def counter(name: str, says: str, *labels: str) -> Counter:
    return Counter(name, says, labels, registry=registry)


def gauge(name: str, says: str, *labels: str) -> Gauge:
    """Make a gauge that is summed over the processes that live."""
    return Gauge(name, says, labels, registry=registry, multiprocess_mode="livesum")


requests = counter("btf_http_requests", "Requests answered.", "method", "route", "status")
request_seconds = Histogram(
    "btf_http_request_duration_seconds",
    "Until the first byte of the answer.",
    ["route"],
    registry=registry,
    buckets=SECONDS,
)
request_queries = Histogram(
    "btf_http_request_queries", "Database queries of a request.", registry=registry, buckets=QUERIES
)
requests_in_flight = gauge("btf_http_requests_in_flight", "Requests that are being answered.")

open_sockets = gauge("btf_sockets_open", "Sockets of signed-in people.", "kind")
socket_closes = counter("btf_socket_closes", "Sockets closed, by either side.", "code")
socket_store_failures = counter("btf_socket_store_failures", "Sockets closed because of a store.", "store")
fan_out_failures = counter("btf_fan_out_failures", "Events that no socket could be told of.", "event")
messages_posted = counter("btf_messages_posted", "Messages stored.")

sign_in_challenges = counter("btf_sign_in_challenges", "Links and codes issued.")
sign_ins = counter("btf_sign_ins", "Sessions opened.", "by")
wrong_codes = counter("btf_sign_in_wrong_codes", "Codes that were not the mailed one.")
code_brake = counter("btf_sign_in_code_brake", "Times that the day's wrong codes of all were used up.")
throttled = counter("btf_throttled", "Requests refused because a budget was used up.", "budget")
counted_alone = counter("btf_throttle_in_process", "Times a process counted by itself: Redis was away.")

store_failures = counter("btf_store_failures", "Requests answered 503 because of a store.", "store")
uploads = counter("btf_uploads", "Files that somebody sent.", "outcome")
tasks = counter("btf_tasks", "Runs of background tasks.", "task", "outcome")
mails = counter("btf_mails", "Tries to send a mail.", "outcome")
defects = counter("btf_defects", "Errors that nobody expected.", "where")

for outcome in ("stored", "refused", "unavailable"):
    uploads.labels(outcome)
for store in ("database", "redis"):
    store_failures.labels(store)
    socket_store_failures.labels(store)
for by in ("link", "code", "password"):
    sign_ins.labels(by)


def socket_closed(code: int | None) -> None:
    """Count a close. A client may send any code: only those that mean something count apart."""
    socket_closes.labels(str(code) if code in CLOSE_CODES else "other").inc()
