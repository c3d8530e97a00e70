"""What people were told of, at the admin site: what became of each mail, and what an admin can mend."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.contrib import admin
from django.db.models import F

from core.admin.confirming import Confirmed, Deed, Meanwhile, ask_then_do, confirmed_rows, tell
from core.admin.filters import ListedFilter
from core.admin.house import LookOnly, Narrowed, actor
from core.admin.nonsense import HouseList
from core.models import Delivery, MailTrouble, Notice
from core.notifications.again import send_again
from core.notifications.troubles import lift
from core.registry import notification_kinds

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from users.models import User


WORDS_GONE: Final = (
    "What such mail said is not kept, such as a link to sign in: the person can ask for a new one."
)


def why_not_again(delivery: Delivery) -> str:
    """Tell beforehand, as the service does, why a mail is not sent again."""
    if delivery.state != Delivery.State.FAILED:
        return "Only mail that failed is sent again."
    notice = delivery.notice
    return "" if notice.data and notice.kind in notification_kinds.entries else WORDS_GONE


def allow(trouble: MailTrouble, *, by: User) -> None:
    """Raises Meanwhile (404)."""
    if not lift(trouble.person, by=by):
        raise Meanwhile


SEND_AGAIN: Final = Deed(
    title="Send again",
    says="They are queued anew. What is not true or not wanted any more is dropped when its turn comes.",
    verb="Send",
    done="queued.",
    do=send_again,  # which takes all of them at once
    why_not=why_not_again,
    noun=("mail", "mails"),
    named=lambda delivery: f"{delivery.notice.kind} to {delivery.person}",
)
ALLOW: Final = Deed(
    title="Allow mail again",
    says="These people get mail again. After a complaint, do this at their own wish alone.",
    verb="Allow",
    done="get mail again.",
    do=allow,
    why_not=lambda trouble: "Mail is allowed already." if trouble.lifted_at else "",
    noun=("person", "people"),
    named=lambda trouble: f"{trouble.person}, {trouble.get_cause_display()}",
)


class KindFilter(ListedFilter):
    """By kind; the choices are the product's, so that nobody searches the table for them."""

    title = "kind"
    parameter_name = "kind"
    way = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind.name, str(kind.label)) for kind in notification_kinds]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.way: self.value()}) if self.value() else queryset


class KindOfNoticeFilter(KindFilter):
    way = "notice__kind"


class MailTroubleFilter(ListedFilter):
    """Whose mailbox gave mail back, or who reported some as spam; of people."""

    title = "mail trouble"
    parameter_name = "mail_trouble"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(MailTrouble.Cause.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        standing = queryset.filter(mail_trouble__cause=self.value(), mail_trouble__lifted_at=None)
        return standing.filter(mail_trouble__address__iexact=F("email"))


class CountedNotices(HouseList):
    """A page of notices with how their deliveries stand: one query for all of them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list: Any = list(self.result_list)
        count_deliveries(self.result_list)


def count_deliveries(notices: list[Any]) -> None:
    """Write into ``counted`` how many deliveries of each notice are in which state."""
    for notice in notices:
        notice.counted = {}
    found = {notice.pk: notice for notice in notices}
    for pk, state, number in Delivery.objects.filter(notice__in=found).by_notice_and_state():
        found[pk].counted[state] = number


@admin.register(Notice)
class NoticeAdmin(LookOnly, Narrowed):
    list_display = ["created_at", "kind", "subject", "audience", "is_mailed", "fanned_out_at", "deliveries"]
    list_display_links = ["kind", "subject"]
    list_filter = [KindFilter, "is_mailed", "created_at"]
    search_fields = ["=subject"]
    search_help_text = "The whole subject, such as the id of an announcement."
    show_full_result_count = False
    fields: ClassVar = [
        *("kind", "subject", "data", "audience", "is_mailed", "stale_at"),
        *("created_at", "fanned_out_at", "deliveries"),
    ]
    readonly_fields: ClassVar = ["deliveries"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[HouseList]:
        return CountedNotices

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Notice | None:
        notice = super().get_object(request, object_id, from_field)
        count_deliveries([notice] if notice else [])
        return notice

    @admin.display(description="deliveries by state of mail")
    def deliveries(self, notice: Any) -> str:
        states = dict(Delivery.State.choices)
        return ", ".join(f"{states.get(state, state)}: {notice.counted[state]}" for state in notice.counted)


@admin.register(Delivery)
class DeliveryAdmin(LookOnly, Narrowed):
    list_display = ["created_at", "person", "kind", "state", "attempts", "reason", "due_at", "sent_at"]
    list_filter = ["state", KindOfNoticeFilter, "created_at"]
    list_select_related = ["person", "notice"]
    search_fields = ["person__email"]
    search_help_text = "A person's address."
    show_full_result_count = False
    actions = ["send_again"]

    @admin.display(description="kind", ordering="notice__kind")
    def kind(self, delivery: Delivery) -> str:
        return delivery.notice.kind

    def has_send_again_permission(self, request: HttpRequest) -> bool:
        return actor(request).is_platform_admin

    @admin.action(description="Send again", permissions=["send_again"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> HttpResponse | None:
        """Queue the failed ones of those that were chosen anew, in some queries and by one task."""
        found = confirmed_rows(self, request, queryset, SEND_AGAIN)
        if not isinstance(found, Confirmed):
            return found
        rows = Delivery.objects.filter(pk__in=[row.pk for row in found.rows])
        done = send_again(rows, by=actor(request)).queued
        meanwhile = Counter({Meanwhile.sentence: len(found.rows) - done})
        tell(self, request, f"{done} {SEND_AGAIN.done}", found.left_out + meanwhile)
        return None


@admin.register(MailTrouble)
class MailTroubleAdmin(LookOnly, Narrowed):
    list_display = ["happened_at", "person", "address", "cause", "detail", "lifted_at"]
    list_filter = ["cause", "happened_at", ("lifted_at", admin.EmptyFieldListFilter)]
    list_select_related = ["person"]
    search_fields = ["person__email", "address"]
    date_hierarchy = "happened_at"
    actions = ["allow_mail"]

    def has_allow_mail_permission(self, request: HttpRequest) -> bool:
        return actor(request).is_platform_admin

    @admin.action(description="Allow mail again", permissions=["allow_mail"])
    def allow_mail(self, request: HttpRequest, queryset: QuerySet[MailTrouble]) -> HttpResponse | None:
        """Let these people have mail again; after a complaint only at their own wish."""
        return ask_then_do(self, request, queryset, ALLOW)
