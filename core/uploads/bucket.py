"""The bucket: what describes Amazon's API is read once a process, and not once for each of its threads."""

from __future__ import annotations

from functools import lru_cache
from threading import Lock
from typing import Any, Final

from boto3 import Session
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from storages.backends.s3 import S3Storage

# A store that stalls costs an upload nine seconds: two tries of four (one to be let send), one between.
# Signed as every store understands it, and without the checksums that only Amazon's does.
S3_CLIENT: Final = Config(
    signature_version="s3v4",
    connect_timeout=2,
    read_timeout=3,
    retries={"total_max_attempts": 2, "mode": "standard"},
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
# One request an upload, so that it is stored whole or not at all.
S3_TRANSFER: Final = TransferConfig(multipart_threshold=67_108_864, use_threads=False)

making: Final = Lock()  # sessions make one client at a time; what they make is its thread's own


class BucketStorage(S3Storage):
    """Makes a client for each thread, from one session.

    A session for each, as the library does it, costs every thread a tenth of a second: the first uploads
    after a start, in all threads at once, would hold each other up for more than one.
    """

    client_config = S3_CLIENT
    transfer_config = S3_TRANSFER

    @property
    def connection(self) -> Any:
        with making:
            return super().connection

    def _create_session(self) -> Session:
        return session_of(self.access_key, self.secret_key)


@lru_cache(maxsize=4)
def session_of(access_key: str, secret_key: str) -> Session:
    return Session(aws_access_key_id=access_key, aws_secret_access_key=secret_key)
