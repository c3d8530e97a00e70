"""Facts about a request that several rooms need: who sent it, from where."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from django.conf import settings
from rest_framework.request import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest

    from users.models import User


class SignedInRequest(Request):
    """A request that an authenticated view sees; for type checkers."""

    user: User


def client_address(request: HttpRequest | Request) -> str:
    """Return the address from which a request came, as the last trusted proxy saw it."""
    peer, forwarded = request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", "")
    return address_behind_proxies(str(peer), str(forwarded))


def address_behind_proxies(peer: str, forwarded: str) -> str:
    """Return the client's address, of whoever connected and of what X-Forwarded-For says.

    ``TRUSTED_PROXY_COUNT`` proxies each append to that header; what stands before their
    entries was written by the client and is not believed.
    """
    trusted: int = settings.TRUSTED_PROXY_COUNT
    hops = [hop.strip() for hop in forwarded.split(",")]
    if trusted == 0 or len(hops) < trusted:
        return peer
    return without_port(hops[-trusted]) or peer


def without_port(text: str) -> str:
    """Return the address of ``1.2.3.4:5678`` or ``[2001:db8::1]:5678``, as some proxies write it."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def client_source(request: HttpRequest | Request) -> str:
    """Return what counts as one source of requests for budgets."""
    return source_of(client_address(request))


def source_of_scope(scope: Mapping[str, Any]) -> str:
    """Return the same of a socket's handshake (ASGI: a header that came twice stands there twice)."""
    forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    peer, *_ = scope.get("client") or [""]
    return source_of(address_behind_proxies(str(peer), b",".join(forwarded).decode("latin-1")))


def source_of(client: str) -> str:
    """Return what counts as one source for budgets: an IPv4 address, or the /64 of an IPv6 one.

    One household or phone holds a whole IPv6 /64 (RFC 6177), so single addresses bound nothing.
    What is no address is one source together: foreign text never becomes a cache key.
    """
    try:
        address = ipaddress.ip_address(client)
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
