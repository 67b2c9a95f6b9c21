"""Staff have texts of the game written by the workers, and see what is in play."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from generation.files.problems import FileRefused
from generation.models import RunPrompt
from generation.refusals import Refused
from generation.web.once import NonceForm, make_once
from turing.models import Genre, PairRun, PoemPair
from turing.pairs.conversation_files import import_conversations
from turing.pairs.forms import ConversationsForm, WriteForm
from turing.pairs.pairing import queue_pairs

METHOD = "inverse_prompting_st"
# Conversations that nothing stands beside are named so many at most.
LEFT_SHOWN = 10


@dataclass(frozen=True)
class InPlay:
    """How many pairs of a genre are in play, and how many of them with a boundary."""

    genre: str
    whole: int
    boundaries: int


@require_http_methods(["GET", "HEAD", "POST"])
def texts(request: HttpRequest) -> HttpResponse:
    """Show what is in play and have more written; for anybody but staff there is no such page."""
    if not isinstance(request.user, User) or not request.user.is_staff:
        raise Http404
    form = WriteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data

        def queue() -> PairRun:
            return queue_pairs(
                wanted["count"], method=METHOD, seed=wanted["seed"], boundary=wanted["boundary"]
            )[0]

        try:
            make_once(
                NonceForm(request.POST).sent_nonce(),
                f"texts of the game for {request.user.pk}",
                queue,
                PairRun.objects.all(),
            )
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            count = wanted["count"]
            words = ngettext(
                "%(count)d text is queued; it is put into play when it is finished.",
                "%(count)d texts are queued; each is put into play when it is finished.",
                count,
            )
            messages.success(request, words % {"count": count})
            return redirect("turing:texts")
    context = {
        "form": form,
        "in_play": in_play(),
        "waiting": RunPrompt.objects.filter(run__in=PairRun.objects.filter(ended_at=None).values("pk"))
        .open()
        .count(),
        "title": _("Texts of the game"),
    }
    status = HTTPStatus.BAD_REQUEST if request.method == "POST" else HTTPStatus.OK
    return render(request, "turing/pairs/texts.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def conversations(request: HttpRequest) -> HttpResponse:
    """Take a file of finished conversations; for anybody but staff there is no such page."""
    if not isinstance(request.user, User) or not request.user.is_staff:
        raise Http404
    form = ConversationsForm(request.POST or None, request.FILES or None)
    problems: Sequence[str] = ()
    if request.method == "POST" and form.is_valid():
        upload = form.cleaned_data["file"]
        try:
            with NamedTemporaryFile() as kept:
                for chunk in upload.chunks():
                    kept.write(chunk)
                kept.flush()
                paired = import_conversations(Path(kept.name), str(upload.name))
        except FileRefused as refused:
            problems = refused.problems
        else:
            count = len(paired.pairs)
            words = ngettext(
                "%(count)d pair of conversations is in play now.",
                "%(count)d pairs of conversations are in play now.",
                count,
            )
            messages.success(request, words % {"count": count})
            for line in paired.refused[:LEFT_SHOWN]:
                messages.warning(request, line)
            return redirect("turing:conversations")
    of_chat = PoemPair.objects.filter(genre=Genre.CHAT, is_withdrawn=False)
    context = {
        "form": form,
        "problems": problems,
        "in_play": of_chat.aggregate(all=Count("pk"), trios=Count("pk", filter=Q(is_trio=True))),
        "title": _("Conversations of the game"),
    }
    status = HTTPStatus.BAD_REQUEST if request.method == "POST" else HTTPStatus.OK
    return render(request, "turing/pairs/conversations.html", context, status=status)


def in_play() -> tuple[InPlay, ...]:
    """Return how many pairs of each genre may be drawn, in one query."""
    rows = (
        PoemPair.objects.filter(is_withdrawn=False)
        .order_by()
        .values_list("genre")
        .annotate(
            whole=Count("pk", filter=Q(takeover=None)), boundaries=Count("pk", filter=~Q(takeover=None))
        )
    )
    found = {genre: (whole, boundaries) for genre, whole, boundaries in rows}
    words = {Genre.POEM: _("poems"), Genre.QA: _("answers to questions")}
    return tuple(InPlay(word, *found.get(genre.value, (0, 0))) for genre, word in words.items())
