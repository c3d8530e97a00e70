"""Files that hang on messages: who may open them, now (B68, D15; SAFETY B29, B37)."""

from __future__ import annotations

from typing import Any

from django.core.cache import cache
from django.test import override_settings
from rest_framework.test import APIClient

from authentication.tests.signing_in import signed_in_client
from chat.models import Message, MessageAttachment
from chat.tests.cases import STATES, ChatCase
from chat.tests.sockets import SocketCase
from core.models import Upload
from core.tests.files import sent, use_own_storage
from core.uploads.links import Links
from core.uploads.store import store_upload
from groups.models import Group, GroupMember
from groups.tests.cases import call
from groups.tests.factories import make_group
from users.models import User
from users.tests.factories import make_admin, make_user


def upload_of(owner: User) -> Upload:
    return store_upload(sent("plan.txt", b"plan", "text/plain"), prefix="uploads", owner=owner)


def opens(viewer: User, upload: Upload) -> bool:
    """Tell whether a link of somebody's own leads to the file; nothing else but 200 and 404 is answered."""
    response: Any = APIClient().get(Links(viewer.pk, "http://testserver").to(upload.key))
    assert response.status_code in {200, 404}, response.status_code
    return response.status_code == 200 and b"".join(response) == b"plan"


class FileRightTests(ChatCase):
    def setUp(self) -> None:
        super().setUp()
        use_own_storage(self)
        self.upload = upload_of(self.student)

    def attach(self, **fields: Any) -> Message:
        message = self.write(**fields)
        message.attachments.create(upload=self.upload, file_url=self.upload.key, filename="plan.txt")
        return message

    def test_before_it_is_sent_it_is_its_owners(self) -> None:
        self.assertTrue(opens(self.student, self.upload))
        for who in (self.friend, self.mentor, self.admin):
            self.assertFalse(opens(who, self.upload))

    def test_it_is_for_those_who_read_its_message(self) -> None:
        """As ``chat.access.Reader`` says: the tables of who reads what are in the tests of the history."""
        above = {"mentor", "supervisor", "admin"}
        everybody = {"author", "member", *above}
        expected = {
            "approved": everybody,
            "pending": {"author", *above},
            "rejected": {"author", *above},  # whose own upload it is
            "removed": {"author", *above},
        }
        for state, fields in STATES.items():
            message = self.attach(**fields)
            with self.subTest(state):
                who = {name for name, user in self.readers.items() if opens(user, self.upload)}
                self.assertEqual(who, expected[state])
            message.delete()

    def test_an_outsider_gets_nothing_by_a_link_of_their_own(self) -> None:
        self.attach()
        stranger = make_user()
        make_group(members=[stranger])

        self.assertFalse(opens(stranger, self.upload))

    def test_it_ends_with_the_membership_the_group_and_the_account(self) -> None:
        self.attach()
        self.assertTrue(opens(self.friend, self.upload))
        GroupMember.objects.filter(user=self.friend).delete()
        self.assertFalse(opens(self.friend, self.upload))
        User.objects.filter(pk=self.mentor.pk).update(status="inactive")
        self.assertFalse(opens(self.mentor, self.upload))
        call(self.admin, "delete", f"/api/groups/{self.group.pk}/")
        self.assertFalse(opens(self.supervisor, self.upload))

    def test_a_link_that_was_sent_on_opens_nothing_for_who_signs_in_as_somebody_else(self) -> None:
        self.attach()
        link = Links(self.friend.pk, "http://testserver").to(self.upload.key)

        self.assertEqual(signed_in_client(make_user()).get(link).status_code, 404)

    def test_it_is_found_by_any_message_that_one_reads(self) -> None:
        self.attach(is_deleted=True)
        self.attach()

        self.assertTrue(opens(self.friend, self.upload))

    def test_sending_again_by_a_link_of_another_hour_is_the_same_message(self) -> None:
        """Links change by the hour, and a phone may try for longer."""
        links = [f"http://testserver/media/{token}/{self.upload.key}" for token in ("1-a-x", "1-b-y")]
        answers = [
            self.post(text="", clientId="a", attachments=[{"url": link, "filename": "plan.txt"}])
            for link in links
        ]

        self.assertEqual([answer.status_code for answer in answers], [201, 200])
        self.assertEqual(MessageAttachment.objects.get().file_url, self.upload.key)

    def test_a_link_on_another_origin_of_ours_leads_to_the_same_file(self) -> None:
        for settings, origin in (
            ({"MEDIA_PUBLIC_BASE_URL": "https://files.example.org"}, "https://files.example.org"),
            ({"ALLOWED_HOSTS": ["[::1]", "testserver"]}, "http://[::1]:8000"),
        ):
            with self.subTest(origin), override_settings(**settings):
                link = f"{origin}/media/x/{self.upload.key}"
                response = self.post(text="", attachments=[{"url": link, "filename": "plan.txt"}])
                self.assertEqual(response.status_code, 201, response.content)

    @override_settings(CHAT_ATTACHMENT_ALLOWED_HOSTS=["testserver"])
    def test_nobodys_link_is_passed_on_to_a_whole_room(self) -> None:
        link = f"http://testserver/media/x/{upload_of(self.friend).key}"

        response = self.post(text="", attachments=[{"url": link, "filename": "plan.txt"}])

        self.assert_refused(response, 400, "attachments")

    def test_a_file_in_quarantine_is_not_attached(self) -> None:
        Upload.objects.update(state=Upload.State.QUARANTINED)
        link = f"http://testserver/media/x/{self.upload.key}"

        response = self.post(text="", attachments=[{"url": link, "filename": "plan.txt"}])

        self.assert_refused(response, 400, "attachments")

    def test_search_and_mentions_lead_to_files_too(self) -> None:
        message = self.attach(text="Hello quokka @Grace")
        message.mentions.create(user=self.friend)

        for url in ("/api/messages/search/?q=quokka", "/api/mentions/"):
            (found,) = call(self.friend, "get", url).json()["results"]
            (file,) = found["attachments"]
            self.assertEqual(b"".join(APIClient().get(file["file_url"])), b"plan")


class SocketLinkTests(SocketCase):
    def setUp(self) -> None:
        super().setUp()
        cache.clear()
        use_own_storage(self)

    async def test_each_listener_gets_links_of_their_own(self) -> None:
        """D20: signed where it is heard, live and in what was missed."""
        stored = await self.act(upload_of, self.student)
        friend, mentor = await self.opened(self.friend), await self.opened(self.mentor)
        frame = {
            "action": "send_message",
            "text": "",
            "attachments": [{"url": f"http://testserver/media/x/{stored.key}", "filename": "plan.txt"}],
        }
        author = await self.opened(self.student)

        heard = [await author.asks(frame), await friend.hears(), await mentor.hears()]
        await self.close(friend)
        late = await self.opened(self.friend, after=0)
        heard.append(await late.hears())

        links = [one["payload"]["attachments"][0]["file_url"] for one in heard]
        self.assertEqual(len(set(links)), 3)
        self.assertEqual(links[1], links[3])
        for link in links:
            self.assertEqual(await self.act(self.read, link), b"plan")
        await self.close(author, mentor, late)

    @staticmethod
    def read(link: str) -> bytes:
        answer: Any = APIClient().get(link[link.index("/media/") :])
        return b"".join(answer)


class LeftGroupTests(ChatCase):
    def test_the_conversation_of_an_archived_group_keeps_its_files_to_itself(self) -> None:
        use_own_storage(self)
        upload = upload_of(self.student)
        self.write().attachments.create(upload=upload, file_url=upload.key, filename="plan.txt")
        admin = make_admin()
        self.assertTrue(opens(admin, upload))
        Group.objects.filter(pk=self.group.pk).get().delete()

        self.assertFalse(opens(admin, upload))
