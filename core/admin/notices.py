"""What people were told of, at the admin site: what became of each mail, and what an admin can mend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.contrib import admin, messages
from django.db.models import F

from core.admin.filters import ListedFilter
from core.admin.house import LookOnly, actor
from core.admin.library import ChangeList, ModelAdmin
from core.models import Delivery, MailTrouble, Notice
from core.notifications.again import send_again
from core.notifications.troubles import lift
from core.registry import notification_kinds

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


WORDS_GONE: Final = (
    "What such mail said is not kept, such as a link to sign in: the person can ask for a new one."
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


class CountedNotices(ChangeList):
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
class NoticeAdmin(LookOnly, ModelAdmin):
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

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
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
class DeliveryAdmin(LookOnly, ModelAdmin):
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
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Queue the failed ones of those that were chosen anew."""
        done = send_again(queryset, by=actor(request))
        self.message_user(request, f"{done.queued} queued: only mail that failed is sent again.")
        if done.left:
            self.message_user(request, f"{done.left} are left: choose again.", messages.WARNING)
        if done.lost:
            self.message_user(request, f"{done.lost} cannot be. {WORDS_GONE}", messages.WARNING)


@admin.register(MailTrouble)
class MailTroubleAdmin(LookOnly, ModelAdmin):
    list_display = ["happened_at", "person", "address", "cause", "detail", "lifted_at"]
    list_filter = ["cause", "happened_at", ("lifted_at", admin.EmptyFieldListFilter)]
    list_select_related = ["person"]
    search_fields = ["person__email", "address"]
    date_hierarchy = "happened_at"
    actions = ["allow_mail"]

    def has_allow_mail_permission(self, request: HttpRequest) -> bool:
        return actor(request).is_platform_admin

    @admin.action(description="Allow mail again", permissions=["allow_mail"])
    def allow_mail(self, request: HttpRequest, queryset: QuerySet[MailTrouble]) -> None:
        """Let these people have mail again; after a complaint only at their own wish."""
        allowed = sum(
            lift(trouble.person, by=actor(request)) for trouble in queryset.select_related("person")
        )
        self.message_user(request, f"{allowed} get mail again.")
