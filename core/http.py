"""Facts about a request that several rooms need: who sent it, from where."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from django.conf import settings
from rest_framework.request import Request

if TYPE_CHECKING:
    from django.http import HttpRequest

    from users.models import User


class SignedInRequest(Request):
    """A request that an authenticated view sees; for type checkers."""

    user: User


def client_address(request: HttpRequest | Request) -> str:
    """Return the client's address as the last trusted proxy saw it.

    ``TRUSTED_PROXY_COUNT`` proxies each append to X-Forwarded-For; what stands before their
    entries was written by the client and is not believed.
    """
    peer = str(request.META.get("REMOTE_ADDR", ""))
    trusted: int = settings.TRUSTED_PROXY_COUNT
    hops = [hop.strip() for hop in str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")]
    if trusted == 0 or len(hops) < trusted:
        return peer
    return without_port(hops[-trusted]) or peer


def without_port(text: str) -> str:
    """Return the address of ``1.2.3.4:5678`` or ``[2001:db8::1]:5678``, as some proxies write it."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def client_source(request: HttpRequest | Request) -> str:
    """Return what counts as one source for budgets: an IPv4 address, or the /64 of an IPv6 one.

    One household or phone holds a whole IPv6 /64 (RFC 6177), so single addresses bound nothing.
    What is no address is one source together: foreign text never becomes a cache key.
    """
    try:
        address = ipaddress.ip_address(client_address(request))
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address)


def request_id(request: Any) -> str:
    """Return the id that log lines and the error envelope of this request carry."""
    return str(getattr(request, "request_id", ""))
