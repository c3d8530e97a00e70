"""Whether 1,000 messages are stored once each though a fifth of the answers is lost (SAFETY R23).

By hand, on a private PostgreSQL that ends with it (``make drill PART=cut_answers``):

    scripts/services.sh run -- .venv/bin/python benchmarks/drills/cut_answers.py

20 people post 50 messages each through a proxy that resets the line instead of passing on every fifth answer,
and send each again, with the same ``clientId``, until it is acknowledged. Fails unless 1,000 are stored, each
once, and each answer named the one that is stored.
"""

from __future__ import annotations

import sys
from threading import Thread
from typing import Final

import faults
from chat_kill import GROUP, Posting, fill
from proxy import Fault, Proxy

WRITERS, EACH = 20, 50
CUT: Final = 0.2


def send_all(proxy: Proxy) -> Posting:
    posting, tokens = Posting(proxy.port), fill(WRITERS)
    threads = [Thread(target=posting.write, args=(n, tokens[n], EACH)) for n in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return posting


def main() -> int:
    redis = faults.redis()
    redis.start()
    faults.prepare(redis.port, CHAT_BURST="100000", CHAT_PER_SECOND="1000", API_WRITES_PER_USER="")
    web = faults.http_server(workers=2)
    proxy = Proxy(web.port)
    try:
        web.start()
        faults.wait_until_ready(web)
        proxy.fault = Fault(cut_chance=CUT)
        posting = send_all(proxy)
        from chat.models import Message

        rows = list(Message.objects.filter(group=GROUP).values_list("client_id", "pk"))
    finally:
        proxy.stop()
        web.stop()
        redis.stop()
    total = WRITERS * EACH
    stored = dict(rows)
    print(f"{total} messages, {proxy.cuts} answers cut, seen by the writers: {dict(posting.failures)}")
    print(f"acknowledged {len(posting.acked)}, stored {len(rows)}, of that different {len(stored)}")
    print(f"acknowledged as another than is stored: {sum(stored[n] != i for n, i in posting.acked.items())}")
    is_right = posting.acked == stored and len(rows) == total and proxy.cuts > total * CUT / 2
    return faults.verdict(is_right=is_right)


if __name__ == "__main__":
    sys.exit(main())
