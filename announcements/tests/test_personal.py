"""What announcements hold of a person: given out to them, and gone with them."""

from __future__ import annotations

from announcements.models import Acknowledgement
from announcements.personal import documents_of
from announcements.services import acknowledge
from announcements.tests.cases import NewsCase, call, url
from announcements.tests.factories import hours, make_announcement
from users.services.erasure import erase_person


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
