"""No page of the admin site shows unasked what was said in a conversation, or how a file of it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.contrib import admin
from django.test import TestCase, tag
from django.urls import reverse

from announcements.models import Announcement
from chat.models import TextOpening
from chat.services.reports import report_message
from chat.services.unread import KIND
from chat.tests.factories import make_message
from core.models import Delivery, Notice, Upload
from groups.tests.factories import make_group
from users.tests.factories import make_superuser, make_user

if TYPE_CHECKING:
    from django.http import HttpRequest

MARK: Final = "Zugvogel"


@tag("walk")
class WithheldWordsTests(TestCase):
    def setUp(self) -> None:
        self.boss = make_superuser()
        self.client.force_login(self.boss)
        self.author, self.other = make_user(first_name="Ada"), make_user(first_name="Bo")
        self.group = make_group(members=[self.author, self.other])
        self.leave_words()

    def leave_words(self) -> None:
        """Let the mark stand wherever people's words in a conversation can stand."""
        key = f"uploads/{'0' * 32}.pdf"
        upload = Upload.objects.create(owner=self.author, key=key, filename=f"{MARK}.pdf", size=1)
        said = make_message(group=self.group, author=self.author, text=f"{MARK} @Bo")
        said.attachments.create(upload=upload, file_url=key, filename=f"{MARK}.pdf")
        said.mentions.create(user=self.other)
        reply = make_message(group=self.group, author=self.other, text=MARK, reply_to=said)
        reply.moderation_note = MARK
        reply.save()
        report_message(said, by=self.other, category="spam", note=MARK)
        data = {"parts": [[KIND, {"group": self.group.pk, "name": self.group.name, "unread": 2}]], "more": 0}
        notice = Notice.objects.create(kind="daily", subject=f"of {self.other.pk}", data=data)
        Delivery.objects.create(notice=notice, person=self.other, state="failed")
        Announcement.objects.create(title="News", summary="News")
        TextOpening.objects.create(
            actor_id=self.boss.pk, message_id=said.pk, group_id=self.group.pk, reason="Asked by her mother"
        )

    def addresses(self) -> list[str]:
        """Return every list, as it is and as it is searched, every row's page, and its history."""
        found = [reverse("admin:index")]
        for model, page in admin.site._registry.items():
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
            changelist = reverse(f"{name}_changelist")
            found += [changelist, f"{changelist}?{urlencode({'q': self.group.pk})}"]
            for row in page.get_queryset(self.request())[:20]:
                found += [reverse(f"{name}_{what}", args=[row.pk]) for what in ("change", "history")]
        return found

    def request(self) -> HttpRequest:
        return self.client.get(reverse("admin:index")).wsgi_request

    def test_no_page_shows_them(self) -> None:
        addresses = self.addresses()
        self.assertGreater(len(addresses), 60)
        for address in addresses:
            with self.subTest(address):
                response = self.client.get(address, follow=True)
                self.assertEqual(response.status_code, 200)
                self.assertNotContains(response, MARK)

    def test_no_search_finds_them(self) -> None:
        for model, page in admin.site._registry.items():
            if page.search_fields and model._meta.app_label in {"chat", "core", "groups", "users"}:
                name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
                with self.subTest(name):
                    listed = self.client.get(f"{reverse(name)}?q={MARK}")
                    self.assertEqual(list(listed.context["cl"].queryset), [])

    def test_no_question_in_an_address_finds_the_name_of_a_file(self) -> None:
        files = reverse("admin:core_upload_changelist")

        self.assertEqual(self.client.get(f"{files}?filename__startswith=Zug").status_code, 400)
