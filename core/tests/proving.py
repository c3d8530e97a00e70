"""Letting time pass since somebody proved who they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.sessions import PROVED_AT

if TYPE_CHECKING:
    from django.test import Client


def make_stale(client: Client) -> None:
    """Put the last proof of a client at the admin site long into the past."""
    session = client.session
    session[PROVED_AT] = 0
    session.save()
