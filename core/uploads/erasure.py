"""What becomes of a person's uploads when the person is erased."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Exists, OuterRef, Q

from core.models import Upload
from core.registry import uploads_needed
from core.uploads.policy import TYPES_OF, extension_of
from core.uploads.removal import drop_files

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import Model, QuerySet

    from users.models import User

SHORT: Final = 3  # letters; a shorter word of Latin letters stands inside too many others


def erase_uploads(user: User) -> None:
    """Delete a person's uploads that nobody else needs; the others lose owner and telling name.

    Files go after the commit. Holds the rows: whoever attaches one at this moment waits, and then
    finds it kept or gone.
    """
    owned = set(Upload.objects.filter(owner=user).values_list("pk", flat=True))
    rename_telling(Upload.objects.filter(pk__in=delete_spare(owned)), user)


def delete_spare(ids: Collection[int]) -> set[int]:
    """Delete those of the uploads that nobody needs any more, and return the others.

    Files go after the commit. Holds the rows.
    """
    rows = {row.pk: row for row in Upload.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
    needed: set[int] = set().union(*(ask(rows.keys()) for ask in uploads_needed)) if rows else set()
    drop_files(*(row.key for pk, row in rows.items() if pk not in needed))
    return needed & rows.keys()


def rename_telling(files: QuerySet[Any], user: User) -> None:
    """Rename those of the rows whose ``filename`` would still say whose they were."""
    words = telling_words(user)
    renamed = []
    for row in files.only("filename"):
        if tells(row.filename, words):
            row.filename = plain_name(row.filename)
            renamed.append(row)
    files.model._default_manager.bulk_update(renamed, ["filename"])  # noqa: SLF001 - documented API


def telling_words(user: User) -> set[str]:
    """Return the words of a person's names, and their address up to the @, whole and in words."""
    profile: Any = getattr(user, "profile", None)
    local_part = folded(user.email).rpartition("@")[0]
    names = [user.first_name, user.last_name, local_part]
    names += [profile.first_name, profile.last_name] if profile else []
    return {local_part, *(word for name in names for word in words_of(folded(name)))} - {""}


def tells(filename: str, words: Collection[str]) -> bool:
    """Tell whether a file's name holds one of the words; short ones count where they stand alone."""
    name = folded(filename)
    alone = set(words_of(name))
    return any(word in alone or (word in name and not is_short(word)) for word in words)


def is_short(word: str) -> bool:
    return len(word) < SHORT and word.isascii()


def folded(text: str) -> str:
    """Return text without case and accents: phones and computers spell the same name differently."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def words_of(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text)


def plain_name(filename: str) -> str:
    """Return ``file`` with the extension, where that is one of those we know."""
    extension = extension_of(filename)
    return f"file{extension if extension in TYPES_OF else ''}"


def uploads_named_in(rows: QuerySet[Model], *columns: str, ids: Collection[int]) -> set[int]:
    """Return which of the uploads (by id) are named by their key in a column of the rows. One query."""
    named = Q()
    for column in columns:
        named |= Q((f"{column}__contains", OuterRef("key")))
    uploads = Upload.objects.filter(Exists(rows.order_by().filter(named)), pk__in=ids)
    return set(uploads.values_list("pk", flat=True))
