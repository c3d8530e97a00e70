"""What announcements hold of a person: given out to them, and gone with them."""

from __future__ import annotations

from announcements.models import Acknowledgement
from announcements.personal import documents_of
from announcements.services.announcements import acknowledge
from announcements.tests.cases import NewsCase, call, url
from announcements.tests.factories import hours, make_announcement
from users.services.erasure import erase_person
from users.tests.factories import make_admin


class PersonalTests(NewsCase):
    def test_one_reads_which_ones_one_has_acknowledged(self) -> None:
        """Also where one does not see it any more."""
        news = make_announcement(title="Poster day")
        mark, _ = acknowledge(news, by=self.student)
        acknowledge(news, by=self.mentor)
        news.expires_at = hours(-1)
        news.save()

        self.assertEqual(
            dict(documents_of(self.student)),
            {
                "acknowledgements": [
                    {
                        "announcementId": news.pk,
                        "title": "Poster day",
                        "acknowledgedAt": mark.acknowledged_at,
                    }
                ]
            },
        )

    def test_whoever_is_erased_has_acknowledged_nothing(self) -> None:
        news = make_announcement()
        for person in (self.student, self.mentor):
            acknowledge(news, by=person)

        erase_person(self.student, by=self.admin)

        self.assertEqual(Acknowledgement.objects.get().user, self.mentor)
        body = call(self.admin, "get", url("detail", news.pk)).json()
        self.assertEqual((body["audienceCount"], body["acknowledgedCount"]), (2, 1))

    def test_the_name_of_whoever_is_erased_is_no_signature_any_more(self) -> None:
        named, nameless = make_admin(first_name="Ida", last_name="Quill"), make_admin()
        signed = [
            make_announcement(author=author) for author in ("Ida Quill", nameless.email, "Ann Desk", "Ida")
        ]
        before = signed[0].updated_at

        for admin in (named, nameless):
            erase_person(admin, by=self.admin)

        for news in signed:
            news.refresh_from_db()
        self.assertEqual(
            [news.author for news in signed], ["Program Team", "Program Team", "Ann Desk", "Ida"]
        )
        self.assertEqual(signed[0].updated_at, before)
