"""What the conversations forget."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils import timezone

from chat.models import TextOpening
from core.forgetting import Old
from core.periodic import periodic

if TYPE_CHECKING:
    from django.db.models import QuerySet


def old_openings() -> QuerySet[TextOpening]:
    before = timezone.now() - timedelta(days=settings.AUDIT_RETENTION_DAYS)
    return TextOpening.objects.filter(opened_at__lt=before)


OLD_OPENINGS: Final = Old("reasons for which chat was opened", old_openings, by="opened_at")


@periodic("prune_text_openings", every=timedelta(hours=24), due=(OLD_OPENINGS,))
def prune_text_openings() -> dict[str, int]:
    """Forget after AUDIT_RETENTION_DAYS, as the audit log does, who opened what was said and why."""
    return {"deleted": OLD_OPENINGS.delete()}
