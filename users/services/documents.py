"""A person's data as documents: the one on the wire, and what they are given of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from users.models import StudentSupervisor, User
from users.serializers.people import LinkSerializer, UserSerializer

if TYPE_CHECKING:
    from collections.abc import Iterator


def document_of(user: User, *, viewer: User | None = None) -> dict[str, Any]:
    """Return a person's whole document, fresh from the database, as they themselves or an admin read it."""
    row = User.objects.with_document().get(pk=user.pk)
    return dict(UserSerializer(row, context={"viewer": viewer or row}).data)


def documents_of(user: User) -> Iterator[tuple[str, object]]:
    """Yield the account and its links; of the people at the other ends no more than the API tells."""
    yield "account", document_of(user)
    links = StudentSupervisor.objects.of(user).with_people().oldest_first()
    yield "links", LinkSerializer(links, many=True, context={"viewer": user}).data
