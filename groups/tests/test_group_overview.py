"""The page of a group at the admin site tells how it stands, and its list who needs what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from chat.tests.factories import make_message
from core.testing import context_of
from groups.models import Group, MilestoneTemplate, TemplateRun
from groups.services.teams import archive_group
from groups.tests.desk import DeskCase, make_staff, page
from groups.tests.factories import make_group, make_milestone, make_task, make_template
from groups.tests.giving import START, titles, work
from users.tests.factories import make_user

LIST = page(Group, "changelist")
GIVE = "give_template"


class OverviewTests(DeskCase):
    def overview(self, group: Group) -> Any:
        return context_of(self.client, page(Group, "change", group.pk))["overview"]

    def test_it_says_who_and_how_far_and_what_is_wrong(self) -> None:
        mentor = make_user(role="mentor", status="active", first_name="Grace")
        group = make_group(mentor=mentor, members=[make_user(), make_user()])
        step = make_milestone(group)
        for completed in (True, False, False, False):
            make_task(step, completed=completed, due_date=timezone.localdate() - timedelta(days=3))

        seen = self.overview(group)
        self.assertEqual((seen.mentor, seen.member_count, seen.overdue), (mentor, 2, 3))
        self.assertEqual((str(seen.progress), seen.progress.percent), ("1 of 4", 25))
        self.assertEqual(seen.problems, ["With overdue tasks"])
        self.assertContains(self.client.get(page(Group, "change", group.pk)), 'aria-valuenow="25"')

    def test_silent_and_without_a_mentor_is_what_the_health_says(self) -> None:
        group = make_group()
        Group.objects.filter(pk=group.pk).update(created_at=timezone.now() - timedelta(days=40))

        self.assertEqual(self.overview(group).problems, ["Without a mentor", "Silent"])
        for problem in ("no_mentor", "silent"):
            self.assertEqual(self.listed(Group, f"?needs={problem}"), {group.pk})
        make_message(group=group)
        self.assertEqual(self.overview(group).problems, ["Without a mentor"])
        self.assertEqual(self.listed(Group, "?needs=silent"), set())

    def test_of_a_group_that_is_over_nothing_is_wrong(self) -> None:
        over, archived = make_group(status="Completed"), make_group()
        archive_group(archived, by=None)

        for group in (over, archived):
            self.assertEqual(self.overview(group).problems, [])

    def test_it_leads_to_the_conversations_moderation_where_that_opens(self) -> None:
        group = make_group()
        reports = f"/admin/chat/messagereport/?q={group.pk}"

        self.assertContains(self.client.get(page(Group, "change", group.pk)), reports)
        self.sit_down(make_staff("view"))
        self.assertNotContains(self.client.get(page(Group, "change", group.pk)), reports)

    def test_milestones_say_how_many_of_their_tasks_are_done(self) -> None:
        group = make_group()
        step = make_milestone(group)
        for completed in (True, True, False):
            make_task(step, completed=completed)
        make_task(step).delete()

        self.assertContains(self.client.get(page(Group, "change", group.pk)), "2 of 3")

    def test_a_page_to_add_a_group_has_no_head(self) -> None:
        self.assertNotContains(self.client.get(page(Group, "add")), "How the group stands")


class GivingTests(DeskCase):
    template: MilestoneTemplate
    groups: list[Group]

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.template = make_template(milestones=2)
        cls.groups = [make_group(), make_group()]

    def choose_all(self, **sent: Any) -> Any:
        chosen = {"action": GIVE, "_selected_action": [group.pk for group in self.groups]}
        with self.captureOnCommitCallbacks():
            return self.client.post(LIST, {**chosen, **sent})

    def give(self, **sent: Any) -> Any:
        asked = {"post": "yes", "template": self.template.pk, "start_date": START.isoformat()}
        return self.choose_all(**{**asked, **sent})

    def test_it_asks_with_the_number_of_groups_and_gives_nothing_yet(self) -> None:
        asked = self.choose_all()

        self.assertContains(asked, "Give to 2 groups")
        self.assertFalse(TemplateRun.objects.exists())

    def test_a_confirmed_run_is_begun_and_its_page_shows_how_far_it_is(self) -> None:
        response = self.give()

        run = TemplateRun.objects.get()
        watched = page(TemplateRun, "change", run.pk)
        self.assertRedirects(response, watched, fetch_redirect_response=False)
        self.assertContains(self.client.get(watched), "data-look-again")
        self.assertContains(self.client.get(watched), "0 of 2")
        work(run)
        shown = self.client.get(watched)
        self.assertContains(shown, "2 of 2")
        self.assertNotContains(shown, "data-look-again")
        self.assertEqual(len(titles(self.groups[0])), 2)
        self.assertEqual(self.recorded()[0], ("template_applied", str(run.pk)))

    def test_what_the_form_lacks_is_asked_for_again(self) -> None:
        for wrong in ({"start_date": ""}, {"start_date": "9999-12-31"}, {"template": ""}, {"template": "x"}):
            with self.subTest(wrong):
                self.assertContains(self.give(**wrong), "Give to 2 groups")
        self.assertFalse(TemplateRun.objects.exists())

    def test_a_refusal_is_a_message(self) -> None:
        self.template.milestones.all().delete()

        response = self.client.get(self.give().url)

        self.assertContains(response, "This template has no milestones.")

    def test_only_platform_admins_give(self) -> None:
        self.sit_down(make_staff("view", "add", "change", "delete"))

        self.give()

        self.assertFalse(TemplateRun.objects.exists())
        shown = self.client.get(page(MilestoneTemplate, "change", self.template.pk))
        self.assertNotContains(shown, "Give to groups…")
