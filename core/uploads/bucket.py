"""The bucket: what describes Amazon's API is read once a process, and not once for each of its threads."""

from __future__ import annotations

from functools import lru_cache
from threading import Lock
from typing import Any, Final

from boto3 import Session
from storages.backends.s3 import S3Storage

making: Final = Lock()  # sessions make one client at a time; what they make is its thread's own


class BucketStorage(S3Storage):
    """Makes a client for each thread, from one session.

    A session for each, as the library does it, costs every thread a tenth of a second: the first uploads
    after a start, in all threads at once, would hold each other up for more than one.
    """

    @property
    def connection(self) -> Any:
        with making:
            return super().connection

    def _create_session(self) -> Session:
        return session_of(self.access_key, self.secret_key)


@lru_cache(maxsize=4)
def session_of(access_key: str, secret_key: str) -> Session:
    return Session(aws_access_key_id=access_key, aws_secret_access_key=secret_key)
