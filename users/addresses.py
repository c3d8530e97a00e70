"""E-mail addresses as this product means them: one mailbox, one spelling."""

from __future__ import annotations

import hashlib
import re

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.crypto import salted_hmac

LONGEST = 254
LONGEST_READ = 1_000  # characters; IDNA takes a second for megabytes
USERNAME_LENGTH = 150
PLAIN = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]+@(localhost|[a-z0-9-]+(\.[a-z0-9-]+)+)")


def normalise(text: str) -> str:
    """Return the one spelling of an address: trimmed, lower case, its domain in ASCII (IDNA).

    Raises ValidationError where it is none that we take: longer than 254 characters (RFC 5321),
    with a quoted local part (which can be spelt in many ways), or without a domain name.
    """
    if len(text) > LONGEST_READ:
        raise ValidationError("Enter a valid email address.", code="invalid")
    local, at, domain = text.strip().lower().rpartition("@")
    try:
        address = f"{local}{at}{domain.encode('idna').decode('ascii')}" if domain.strip() else text
    except UnicodeError:
        address = ""
    validate_email(address)
    if len(address) > LONGEST or not PLAIN.fullmatch(address):
        raise ValidationError("Enter a valid email address.", code="invalid")
    return address


def shortened(address: str) -> str:
    """Return a username for an address that is too long, or whose own is taken: still unique."""
    digest = hashlib.sha256(address.encode()).hexdigest()[:24]
    return f"{address[: USERNAME_LENGTH - 25]}-{digest}"


def address_key(address: str) -> str:
    """Return a name for a normalised address that does not tell the address."""
    return address_keys(address)[0]


def address_keys(address: str) -> list[str]:
    """Return the address's name, and those that it had under former secret keys."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = (
        salted_hmac("users.addresses.key", address, secret=secret, algorithm="sha256") for secret in secrets
    )
    return [digest.hexdigest()[:32] for digest in digests]
