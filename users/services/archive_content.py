"""What is in a person's ZIP: a note on what is what, a document for each kind of data, their files."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from shutil import copyfileobj
from typing import IO, TYPE_CHECKING, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from core.models import Upload
from core.registry import my_data
from core.uploads.files import open_file

if TYPE_CHECKING:
    from users.models import User

README: Final = """\
Your data in the {programme}
Made on {made:%d %B %Y} at {made:%H:%M} UTC

This is a copy of what we keep about you. Files that end in .json are plain text:
any text editor or web browser opens them.

{documents}

The folder "files" holds what you uploaded.
{remarks}
Not in here: what other people wrote, and other people's addresses and phone
numbers. They belong to them, as this belongs to you.

We delete our copy of this ZIP a day after you asked for it. Is something wrong, or
should something be deleted? Tell the people who run the programme, or ask a parent
or a teacher to help you.
"""
ABOUT: Final = {
    "account": "who you are to us: your name, address, role and profile",
    "links": "the adults who look after you, or the students you look after",
    "sessions": "the browsers and phones in which you signed in, and when",
    "uploads": "a list of the files that you uploaded",
    "activity": "what we wrote down of what you did, such as signing in",
    "groups": "the groups that you are in",
    "tasks": "the tasks that were given to you",
    "messages": "what you wrote in your groups",
    "openedMessages": "the texts of others that you opened at the admin site, and why you said you did",
    "reading": "how far you have read in each group",
    "reactions": "the signs that you set on messages",
    "mentions": "the messages that name you",
    "messageReports": "the messages that you reported, and why",
    "downloads": "which resources you opened in the last two days",
    "registrations": "the events that you signed up for",
    "calendarFeed": "since when your own calendar program may fetch your dates",
    "acknowledgements": "the announcements that you said you had read",
    "notifications": "what we told you of, here and by mail, and when",
    "notificationSettings": "your language, your clock and your quiet hours",
    "notificationChoices": "of which things you want mail, and how often",
    "mailTrouble": "that mail to you came back, where it did",
}
LONGEST_STEM: Final = 120
PIECE_BYTES: Final = 256 * 1024
ENCODER: Final = DjangoJSONEncoder(indent=2, ensure_ascii=False)


def write_archive(user: User, file: IO[bytes]) -> None:
    """Write the person's ZIP. A file that has gone is named in the note. Raises STORAGE_ERRORS."""
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        names = []
        for documents_of in my_data:
            for name, document in documents_of(user):
                archive.writestr(f"{name}.json", ENCODER.encode(document))
                names.append(name)
        archive.writestr("README.txt", note(names, write_files(user, archive)))


def write_files(user: User, archive: ZipFile) -> list[str]:
    """Copy the person's files into the ZIP; returns a remark on each that is left out."""
    remarks = []
    for upload in Upload.objects.filter(owner=user).order_by("pk"):
        name = f"{upload.pk}-{safe_name(upload.filename)}"
        if upload.state != Upload.State.STORED:
            remarks.append(f"Left out, since it may be harmful: {name}")
        elif not write_file(upload, f"files/{name}", archive):
            remarks.append(f"Missing, since we no longer have it: {name}")
    return remarks


def write_file(upload: Upload, name: str, archive: ZipFile) -> bool:
    """Copy one file into the ZIP, piece by piece; False where the storage has it no longer."""
    entry = ZipInfo(name, upload.created_at.timetuple()[:6])
    entry.compress_type = ZIP_DEFLATED
    try:
        with open_file(upload.key) as source, archive.open(entry, "w", force_zip64=True) as target:
            copyfileobj(source, target, PIECE_BYTES)
    except FileNotFoundError:
        return False
    return True


def safe_name(filename: str) -> str:
    """Return a name that stays in its folder on every system: letters, digits and a few signs."""
    plain = re.sub(r"[^\w.() -]", "_", filename)
    plain = re.sub(r"\.{2,}", "_", plain).strip(". ")
    path = PurePosixPath(plain or "file")
    return path.stem[:LONGEST_STEM] + path.suffix[:20]


def note(names: list[str], remarks: list[str]) -> str:
    lines = [f"{name + '.json':<20} {ABOUT.get(name, '')}".rstrip() for name in names]
    return README.format(
        programme=settings.PROGRAMME_NAME,
        made=timezone.now(),
        documents="\n".join(lines),
        remarks="".join(f"{remark}\n" for remark in remarks),
    )
