"""Fresh proof: exports, erasure and rights at the admin site are for people who have just shown who they are.

The page that asks for it is named ``admin:confirm``; sign-in itself counts (``core.sessions.begin``).
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html

from core.sessions import PROVED_AT, seconds_now

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponse

P = ParamSpec("P")
R = TypeVar("R")


def is_fresh(request: HttpRequest) -> bool:
    """Tell whether the last proof is less than ADMIN_PROOF_MINUTES old."""
    age = seconds_now() - request.session.get(PROVED_AT, 0)
    return bool(0 <= age < settings.ADMIN_PROOF_MINUTES * 60)


def note_proof(request: HttpRequest) -> None:
    """Keep that somebody has just proved who they are, under a new session key: it opens more than before."""
    request.session.cycle_key()
    request.session[PROVED_AT] = seconds_now()


def with_fresh_proof(view: Callable[P, R]) -> Callable[P, R | HttpResponse]:
    """Guard a view, or a view or an action of a ``ModelAdmin``: nothing of it runs before a fresh proof.

    Whoever proved themselves too long ago is sent to prove it again, and from there to the same address.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | HttpResponse:
        request = next(arg for arg in args if isinstance(arg, HttpRequest))
        return view(*args, **kwargs) if is_fresh(request) else ask_for_proof(request)

    return guarded


def ask_for_proof(request: HttpRequest, *, back: str = "") -> HttpResponseRedirect:
    """Send to the page that asks, and from there ``back``: to this address, where no other is given.

    What a form said is not kept: it is said that nothing was done.
    """
    if request.method == "POST":
        messages.info(request, "Nothing has been done yet. Confirm that it is you, then choose it again.")
    query = urlencode({"next": back or request.get_full_path()})
    return HttpResponseRedirect(f"{reverse('admin:confirm')}?{query}")


class ProvedChanges:
    """A ``ModelAdmin`` whose form gives rights after a fresh proof alone; stands before the other bases.

    Whoever proved themselves too long ago gets the form again, as it was filled in, with a link to the page
    that asks. It opens beside the form, which is saved afterwards: nothing that was typed is lost.
    """

    def gives_rights(self, form: Any) -> bool:
        """Tell whether what a form says is for people who have just shown who they are."""
        raise NotImplementedError

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(request, *args, **kwargs)  # type: ignore[misc]
        return form if is_fresh(request) else asking_first(form, self.gives_rights)


def asking_first(form: Any, gives_rights: Callable[[Any], bool]) -> type[Any]:
    """Return a form that is not valid where it gives rights."""

    class AskingForm(form):  # type: ignore[misc]
        def clean(self) -> Any:
            sent = super().clean()
            if gives_rights(self):
                self.add_error(None, ValidationError(beside_the_form(), code="proof"))
            return sent

    return AskingForm


def beside_the_form() -> str:
    """Say what to do, with a link to the page that asks, and that ends where it says so."""
    query = urlencode({"next": f"{reverse('admin:confirm')}?done=1"})
    return format_html(
        "Nothing has been saved yet: this changes what somebody may do. "
        '<a href="{}" target="_blank" rel="noopener" class="font-semibold underline">Confirm that it is you'
        "</a> in a tab that opens beside this one, then come back and save again.",
        f"{reverse('admin:confirm')}?{query}",
    )


class ProvedDeletion:
    """A ``ModelAdmin`` whose rows are deleted after a fresh proof alone; stands before the other bases."""

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return with_fresh_proof(super().delete_view)(request, *args, **kwargs)  # type: ignore[misc]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Guard the deletion of chosen rows, from the moment that it is chosen."""
        actions: dict[str, Any] = super().get_actions(request)  # type: ignore[misc]
        if "delete_selected" in actions:
            delete, *names = actions["delete_selected"]
            actions["delete_selected"] = (with_fresh_proof(delete), *names)
        return actions
