"""The page between a choice and a deed: what will be done, to how many, and to whom not, and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse

from core.admin.house import actor
from core.refusals import Missing, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from django import forms
    from django.contrib.admin import ModelAdmin
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest, HttpResponse

# Each is written in a transaction of its own, while the page waits: some seconds for all of them.
MOST_AT_ONCE: Final = 500
NAMED: Final = 12
CONFIRMED: Final = ("post", "yes")  # as on Django's own page before a deletion


class Meanwhile(Missing):
    """Somebody was faster (404)."""

    sentence = "It was done meanwhile."


class TooManyChosen(Refused):
    """More rows than are done while a page waits (400)."""

    code = "validation_error"

    def __init__(self, most: int) -> None:
        super().__init__(f"At most {most} at once. Narrow the list by its filters, or choose page by page.")


def nothing_against(_: object) -> str:
    return ""


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What is done to each of several rows, as the page that asks first says it.

    ``do(row, by=...)`` is a service, which may refuse; ``why_not(row)`` tells beforehand, without a query,
    why it is not to be called: blank where it is. ``named(row)`` is how the page lists a row.
    """

    title: str
    says: str
    verb: str
    done: str
    do: Callable[..., object]
    why_not: Callable[[Any], str] = nothing_against
    noun: tuple[str, str]
    named: Callable[[Any], str] = str
    is_grave: bool = False


@dataclass(frozen=True, kw_only=True)
class Question:
    """The page itself: ``rows`` are meant, ``left_out`` counts the others by why.

    Where ``rows`` are only some of them, ``total`` says how many there are. ``sent`` goes back with the
    answer, to the same address; ``back`` is where "Cancel" leads.
    """

    title: str
    says: str
    verb: str
    rows: Sequence[object]
    noun: tuple[str, str]
    back: str
    total: int | None = None
    left_out: Counter[str] = field(default_factory=Counter)
    sent: Iterable[tuple[str, Any]] = ()
    form: forms.Form | None = None
    is_grave: bool = False


def is_confirmed(request: HttpRequest) -> bool:
    """Tell whether the button of the page was pressed."""
    name, word = CONFIRMED
    return request.method == "POST" and request.POST.get(name) == word


def ask_then_do(
    page: ModelAdmin[Any], request: HttpRequest, queryset: QuerySet[Any], deed: Deed
) -> HttpResponse | None:
    """Be an action of a list: ask about those who were chosen, and when that is answered, do it to each.

    More than MOST_AT_ONCE are refused in words, also where "all that match" are meant.
    """
    found = confirmed_rows(page, request, queryset, deed)
    if not isinstance(found, Confirmed):
        return found
    do_to_each(page, request, found.rows, deed.do, done=deed.done, left_out=found.left_out)
    return None


class Confirmed(NamedTuple):
    """To whom a thing is to be done, now that the button was pressed; the others, by why."""

    rows: list[Any]
    left_out: Counter[str]


def confirmed_rows(
    page: ModelAdmin[Any], request: HttpRequest, queryset: QuerySet[Any], deed: Deed
) -> Confirmed | HttpResponse | None:
    """Return the rows once somebody has confirmed; before that the page that asks; None for too many."""
    try:
        rows, left_out = sorted_out(chosen(queryset), deed.why_not)
    except TooManyChosen as refusal:
        page.message_user(request, refusal.message, messages.ERROR)
        return None
    if is_confirmed(request):
        return Confirmed(rows, left_out)
    sent = sent_again(request, rows)
    return ask(page, request, question_of(deed, rows, left_out, back=request.get_full_path(), sent=sent))


def ask_then_do_to_one(
    page: ModelAdmin[Any],
    request: HttpRequest,
    row: Any,
    deed: Deed,
    *,
    back: str,
    form: forms.Form | None = None,
) -> HttpResponse:
    """Be a button of a row's page: ask, and when that is answered, do it; then lead ``back``.

    Raises Http404 where there is no row.
    """
    if row is None:
        raise Http404
    rows, left_out = sorted_out([row], deed.why_not)
    if not is_confirmed(request) or (form and not form.is_valid()):
        return ask(page, request, question_of(deed, rows, left_out, back=back, form=form))
    try:
        for each in rows:
            deed.do(each, by=actor(request))
            page.message_user(request, f"{deed.verb}: done.")
    except Refused as refusal:
        left_out[refusal.message] += 1
    for why in left_out:
        page.message_user(request, why, messages.ERROR)
    return HttpResponseRedirect(back)


def question_of(deed: Deed, rows: Iterable[Any], left_out: Counter[str], **more: Any) -> Question:
    """Return what the page asks before a deed; ``more`` is of the page alone."""
    return Question(
        title=deed.title,
        says=deed.says,
        verb=deed.verb,
        rows=[deed.named(row) for row in rows],
        noun=deed.noun,
        left_out=left_out,
        is_grave=deed.is_grave,
        **more,
    )


def chosen(rows: QuerySet[Any] | Sequence[Any], *, most: int | None = None) -> list[Any]:
    """Return the rows of a choice, at most MOST_AT_ONCE or so many. Raises TooManyChosen (400)."""
    most = MOST_AT_ONCE if most is None else most
    found = list(rows[: most + 1])
    if len(found) > most:
        raise TooManyChosen(most)
    return found


def sorted_out(rows: Iterable[Any], why_not: Callable[[Any], str]) -> tuple[list[Any], Counter[str]]:
    """Return to whom a thing is done, and how many are left out, by why."""
    kept, left_out = [], Counter[str]()
    for row in rows:
        if why := why_not(row):
            left_out[why] += 1
        else:
            kept.append(row)
    return kept, left_out


def sent_again(request: HttpRequest, rows: Iterable[Model]) -> list[tuple[str, Any]]:
    """Return what chooses these very rows again, whoever matches by then: nobody is added unseen."""
    ids = [(ACTION_CHECKBOX_NAME, row.pk) for row in rows]
    return [("action", request.POST.get("action", "")), *ids]


def ask(page: ModelAdmin[Any], request: HttpRequest, question: Question) -> TemplateResponse:
    """Show the page."""
    count = len(question.rows) if question.total is None else question.total
    named = question.rows[:NAMED]
    context = {
        **page.admin_site.each_context(request),
        "opts": page.opts,
        "title": question.title,
        "question": question,
        "count": count,
        "counted": counted(count, question.noun),
        "named": named,
        "more": count - len(named),
        "left_out": sorted(question.left_out.items()),
        "confirmed": CONFIRMED,
        "media": page.media + question.form.media if question.form else page.media,
    }
    return TemplateResponse(request, "admin/confirm.html", context)


def counted(count: int, noun: tuple[str, str]) -> str:
    """Return a number with its noun: "1 person", "2 people"."""
    return f"{count} {noun[count != 1]}"


def do_to_each(
    page: ModelAdmin[Any],
    request: HttpRequest,
    rows: Iterable[Any],
    do: Callable[..., object],
    *,
    done: str,
    left_out: Counter[str],
) -> None:
    """Call a service for each row; say how many it took, how many were left as they were, and why."""
    count, left_out = 0, left_out.copy()
    for row in rows:
        try:
            do(row, by=actor(request))
            count += 1
        except Refused as refusal:
            left_out[refusal.message] += 1
    tell(page, request, f"{count} {done}", left_out)


def tell(page: ModelAdmin[Any], request: HttpRequest, done: str, left_out: Counter[str]) -> None:
    """Say what was done, and of the others how many there were for each reason."""
    page.message_user(request, done)
    if left_out:
        reasons = " ".join(f"{why} ({number})" for why, number in sorted(left_out.items()))
        total = sum(left_out.values())
        page.message_user(request, f"{total} left as they were. {reasons}", messages.WARNING)
