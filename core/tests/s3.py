"""A real S3 API over HTTP for tests: moto's server in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from typing import Any
from urllib.error import HTTPError

import boto3
from django.test import override_settings

from btf_backend import stores
from core.tests.clamd import free_port

START_SECONDS = 30
BUCKET = "btf-test"
REGION = "sgp1"


class S3Server:
    """A server with one empty bucket."""

    def __init__(self) -> None:
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(  # noqa: S603 - this Python
            [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.wait()
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=self.base,
            region_name=REGION,
            aws_access_key_id="key",
            aws_secret_access_key="secret",
        )
        self.client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})

    def wait(self) -> None:
        """Return once it answers."""
        deadline = time.monotonic() + START_SECONDS
        while status_of(f"{self.base}/moto-api/data.json") == 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.end()
                message = "the S3 server did not start"
                raise RuntimeError(message)
            time.sleep(0.02)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()

    def keys(self) -> list[str]:
        """Return what is in the bucket."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return [row["Key"] for page in pages for row in page.get("Contents", ())]

    def empty(self) -> None:
        for key in self.keys():
            self.client.delete_object(Bucket=BUCKET, Key=key)


def stored_at(base: str, *, bucket: str = BUCKET, **options: Any) -> Any:
    """Return settings under which files lie in a bucket there, as production configures it."""
    vultr = {"ACCESS_KEY": "key", "SECRET_KEY": "secret", "BUCKET_NAME": bucket, "S3_ENDPOINT": base}
    store = stores.s3(vultr)
    store["OPTIONS"].update(options)
    return override_settings(STORAGES={"default": store, "staticfiles": stores.DISK})


def status_of(url: str) -> int:
    """Return what a request without any credentials is answered; 0 is no answer."""
    try:
        with urllib.request.urlopen(url) as response:  # noqa: S310 - http, and ours
            return int(response.status)
    except HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0
