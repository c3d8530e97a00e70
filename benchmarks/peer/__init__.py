"""The service that somebody would write by hand instead: Starlette, asyncpg and orjson over our database.

It answers four of our calls with our bodies, so that the same load can be put on both. It is a bound and no
product: no budgets of requests, no metrics, no ETags, no log lines, no validation beyond what these bodies
need, no Idempotency-Key, no ``after``, no second look at rights once a lock is held. What it reads,
whom it lets in, and what it stores and publishes is as with us: ``compare`` holds both side by side.
"""
