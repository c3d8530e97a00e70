"""What moderators do to a message, at the admin site: by the services of the API, after a page that asks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.urls import reverse

from chat.admin.withheld import Withheld
from chat.models import Message
from chat.services.moderation import change_message, remove_message
from core.admin.confirming import Deed, ask_then_do_to_one, is_confirmed
from core.admin.library import Textarea, button

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

Moderation = Message.Moderation


class NoteForm(forms.Form):
    """What moderators and the author read beside a message that was judged."""

    note = forms.CharField(
        required=False,
        max_length=5000,
        widget=Textarea(attrs={"rows": 3}),
        help_text="The author and all moderators of the group read it. It replaces the note before it.",
    )


class JudgesMessages(Withheld):
    """A page whose buttons judge the message that it is about."""

    judgements: ClassVar = [
        "hide_message",
        "hold_message",
        "show_message",
        "remove_message",
        "restore_message",
    ]

    def judged(self, request: HttpRequest, object_id: Any) -> Message | None:
        """Return the message of a page; None where there is none."""
        raise NotImplementedError

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer what would change something."""
        offered: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        message = self.judged(request, object_id)
        useless = useless_for(message) if message else set(self.judgements)
        prefix = f"{self.opts.app_label}_{self.opts.model_name}_"
        return [each for each in offered if each.action_name.removeprefix(prefix) not in useless]

    @button(
        description="Hide it: rejected…", permissions=["platform"], icon="visibility_off", url_path="hide"
    )
    def hide_message(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take a message out of everybody's sight but the moderators'."""
        says = "Nobody but moderators sees it any more. It can be shown again."
        return self.moderated(request, object_id, Moderation.REJECTED, says=says, verb="Hide")

    @button(description="Hold it for review…", permissions=["platform"], icon="hourglass", url_path="hold")
    def hold_message(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show a message to its author and the moderators alone."""
        says = "Its author and moderators alone see it, until somebody shows or hides it."
        return self.moderated(request, object_id, Moderation.PENDING, says=says, verb="Hold")

    @button(description="Show it: approved…", permissions=["platform"], icon="visibility", url_path="show")
    def show_message(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Bring a message back that was hidden or held."""
        says = "Everybody in the group sees it (unless it was removed: then restore it, too)."
        return self.moderated(request, object_id, Moderation.APPROVED, says=says, verb="Show")

    @button(description="Remove it…", permissions=["platform"], icon="delete", url_path="remove")
    def remove_message(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Put the sentence that it was removed in a message's place."""
        says = "In its place stands that a message was removed. It can be restored."
        return self.confirmed(request, object_id, remove_message, says=says, verb="Remove")

    @button(description="Restore it…", permissions=["platform"], icon="restore", url_path="restore")
    def restore_message(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Bring a message back that was removed."""
        says = "It stands in the conversation again, as its moderation lets it."
        restore = partial(change_message, values={"restore": True})
        return self.confirmed(request, object_id, restore, says=says, verb="Restore")

    def moderated(
        self, request: HttpRequest, object_id: str, status: Moderation, *, says: str, verb: str
    ) -> HttpResponse:
        form = NoteForm(request.POST if is_confirmed(request) else None)
        note = form.cleaned_data["note"] if form.is_valid() else ""
        values = {"moderation_status": status, **({"moderation_note": note} if note else {})}
        do = partial(change_message, values=values)
        return self.confirmed(request, object_id, do, says=says, verb=verb, form=form)

    def confirmed(
        self,
        request: HttpRequest,
        object_id: str,
        do: Callable[..., object],
        *,
        says: str,
        verb: str,
        form: NoteForm | None = None,
    ) -> HttpResponse:
        """Ask; and once that is answered do it, and lead back to the page."""
        deed = Deed(
            title=f"{verb} this message",
            says=says,
            verb=verb,
            done="done.",
            do=do,
            noun=("message", "messages"),
            is_grave=do is remove_message,
        )
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[object_id])
        message = self.judged(request, object_id)
        return ask_then_do_to_one(self, request, message, deed, back=back, form=form)


def useless_for(message: Message) -> set[str]:
    """Return the judgements that would leave a message as it is."""
    of_status = {
        Moderation.REJECTED: "hide_message",
        Moderation.PENDING: "hold_message",
        Moderation.APPROVED: "show_message",
    }
    return {
        of_status[Moderation(message.moderation_status)],
        "remove_message" if message.is_deleted else "restore_message",
    }
