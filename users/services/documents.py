"""A person's data as documents: the one on the wire, and what they are given of themselves."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Final

from django.db.models import BigIntegerField

from core.prepared import Prepared, Slot
from core.refusals import Missing
from core.roles import Role
from users.models import StudentSupervisor, User
from users.models.documents import documents, linked
from users.serializers.people import LinkSerializer, UserSerializer

if TYPE_CHECKING:
    from collections.abc import Iterator


DOCUMENT: Final = Prepared(
    lambda: documents(User.objects.filter(pk=Slot("person", BigIntegerField())).order_by())
)


def document_of(user: User, *, viewer: User | None = None) -> dict[str, Any]:
    """Return a person's whole document, fresh from the database, as they themselves or an admin read it.

    Raises Missing (404) where they have been erased a moment ago.
    """
    row = DOCUMENT.object(person=user.pk)
    if row is None:
        raise Missing
    linked(row)
    return dict(UserSerializer(row, context={"viewer": viewer or row}).data)


def documents_of(user: User) -> Iterator[tuple[str, object]]:
    """Yield the account and its links; of the people at the other ends what any participant is told.

    Also where the person is an admin: what they may look up about others is not their own data.
    """
    viewer = copy(user)
    viewer.role, viewer.is_superuser = Role.STUDENT, False
    yield "account", document_of(user, viewer=viewer)
    links = StudentSupervisor.objects.of(user).with_people().oldest_first()
    yield "links", LinkSerializer(links, many=True, context={"viewer": viewer}).data
