"""Writes that phones send again (``Idempotency-Key``): the first makes the object, a repeat finds it."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, TypeVar

import orjson
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Model
from django.utils.crypto import salted_hmac

from core.models import IdempotentWrite
from core.refusals import Missing, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from rest_framework.request import Request

    from core.http import SignedInRequest
    from users.models import User

Row = TypeVar("Row", bound=Model)

KEY_HEADER: Final = "Idempotency-Key"
REPLAYED_HEADER: Final = "Idempotent-Replayed"
KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


class NotAKey(Refused):
    """The header holds nothing by which a request could be known again (400)."""

    code = "validation_error"
    sentence = "Send 1 to 255 printable ASCII characters without spaces, or leave the header out."


class KeyReused(Refused):
    """The person's key stands for another request (422)."""

    status = 422
    code = "idempotency_key_reused"
    sentence = "This Idempotency-Key was sent with another request before. Use a new key for each request."


class TooDeep(Refused):
    """A body that the parser takes, and that cannot be written out again to compare it (400)."""

    code = "parse_error"
    sentence = "The body is nested too deeply."


def once(
    request: SignedInRequest, make: Callable[[], Row], *, among: QuerySet[Row]
) -> tuple[Row, dict[str, str]]:
    """Return what ``make()`` creates, once for each person and key, and the headers that say whether it did.

    A repeat gets the object as it is now, looked up ``among`` what the person may read: raises
    Missing (404) where it is not there any more, KeyReused (422) where method, path or body are other
    ones. Raises NotAKey and TooDeep (400). Without the header it is ``make()`` alone.

    Durable: key and object are committed together, so ``make`` must not be durable itself. What it
    raises leaves no trace, and the same key may try again. A repeat that comes meanwhile waits.
    """
    key = key_of(request)
    if key is None:
        return make(), {}
    keys, fingerprints = digests(key.encode()), digests(content_of(request))
    with transaction.atomic(durable=True):
        # First of all: whoever waits for this row holds no other.
        write, is_first = remembered(request.user, keys, fingerprint=fingerprints[0])
        if is_first:
            return kept(write, make()), {}
    if write.fingerprint not in fingerprints:
        raise KeyReused
    return found(write, among), {REPLAYED_HEADER: "true"}


def key_of(request: Request) -> str | None:
    """Return the request's key; None without the header. Raises NotAKey (400)."""
    key: str | None = request.headers.get(KEY_HEADER)
    if key is not None and not KEY.fullmatch(key):
        raise NotAKey(field=KEY_HEADER)
    return key


def remembered(user: User, keys: list[str], *, fingerprint: str) -> tuple[IdempotentWrite, bool]:
    """Return the row of a key, made where there was none, and whether it was made.

    By a former secret there may be a second one, of a server that did not know the new one yet.
    """
    known = IdempotentWrite.objects.filter(user=user, key__in=keys).order_by("pk").first()
    if known is not None:
        return known, False
    return IdempotentWrite.objects.get_or_create(
        user=user, key=keys[0], defaults={"fingerprint": fingerprint}
    )


def kept(write: IdempotentWrite, row: Row) -> Row:
    write.object_id = str(row.pk)
    write.save(update_fields=["object_id"])
    return row


def found(write: IdempotentWrite, rows: QuerySet[Row]) -> Row:
    row = rows.filter(pk=write.object_id).first()
    if row is None:
        raise Missing("What this request made is not there any more.")
    return row


def digests(content: bytes) -> list[str]:
    """Return what stands for the content in the table: by today's secret, and by former ones."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    macs = (salted_hmac(__name__, content, secret=secret, algorithm="sha256") for secret in secrets)
    return [mac.hexdigest() for mac in macs]


def content_of(request: SignedInRequest) -> bytes:
    """Return what a request says: method, path in either slash form, and its body as it was understood.

    The stream has been read by the parser, and a phone may write the same document in another order.
    """
    # The middleware has made one form of both.
    named = [request.method, request.path_info, request.data]
    try:
        return orjson.dumps(named, default=plain, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise TooDeep from error


def plain(value: Any) -> list[str]:
    """Let a file stand for its name and bytes, and leave it as if unread."""
    if not isinstance(value, UploadedFile):
        raise TypeError(type(value).__name__)
    digest = sha256()
    for chunk in value.chunks():
        digest.update(chunk)
    value.seek(0)
    return [str(value.name), digest.hexdigest()]
