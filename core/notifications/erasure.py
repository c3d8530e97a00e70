"""What becomes of the notices of a person who is erased: what was for them alone goes with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef

from core.models import Delivery, Notice

if TYPE_CHECKING:
    from users.models import User


def hold_deliveries(user: User, /) -> None:
    """Lock all deliveries of the person, in the order of their ids, as whoever writes several takes them."""
    rows = Delivery.objects.filter(person=user).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk"))


def erase_notices(user: User, /) -> None:
    """Delete what was told to the person and to nobody else: its subject names them, its data are theirs.

    Of a notice to others as well the delivery alone goes, with the person. One whose people have not got
    theirs yet is left to the fan-out, which may hold it and wait for this person: it passes over who is not
    there, forgets whom it named, and deletes what was for nobody else.
    """
    others = Delivery.objects.filter(notice=OuterRef("pk")).exclude(person=user)
    told = Notice.objects.filter(deliveries__person=user, audience="", fanned_out_at__isnull=False)
    alone = list(told.exclude(Exists(others)).values_list("pk", flat=True))
    Delivery.objects.filter(notice__in=alone).delete()
    Notice.objects.filter(pk__in=alone).delete()
