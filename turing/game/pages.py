"""What the pages of a game show, read from the database."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, CharField, Count, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from generation.models import Candidate, Prompt
from generation.texts.normalising import is_chinese
from stats.reports.numbers import percent
from turing.game.players import Visitor
from turing.game.wording import VERDICTS, WORDING, Wording
from turing.models import ROUNDS_IN_GAME, DayTally, Genre, Round, Scope, Side, SourceText, belong_to
from turing.pairs.normalising import normalised

RIGHT, WRONG, OPEN = "right", "wrong", "open"


@dataclass(frozen=True)
class Dot:
    """One of the five rounds in the row of dots: its number and how it went."""

    number: int
    state: str


@dataclass(frozen=True)
class ShownText:
    """A text as it lies on the page; nothing here says who wrote it."""

    side: Side
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """One round before the choice: all that its page is made from."""

    number: int
    dots: tuple[Dot, ...]
    title: str
    is_verse: bool
    language: str
    texts: tuple[ShownText, ShownText]
    wording: Wording


@dataclass(frozen=True)
class Revealed:
    """One round after the choice, with the share of all its players who were right."""

    table: Table
    human_side: Side
    choice: Side
    source: SourceText | None
    players: int
    players_right: int
    next_url: str

    @property
    def is_right(self) -> bool:
        return self.choice == self.human_side

    @property
    def share_right(self) -> str:
        return percent(self.players_right / self.players)


@dataclass(frozen=True)
class Result:
    """A game that is over."""

    uuid: UUID
    language: str
    dots: tuple[Dot, ...]
    rounds: list[Round]
    genre: str
    score: int
    verdict: str
    percent_of_all: int | None


def load_round(visitor: Visitor, game: UUID, number: int) -> Round:
    """Return a round of the visitor with all that its page shows, in one query; raise 404."""
    rounds = Round.objects.of_game(game, visitor.owns("game__player"))
    of_pair = Round.objects.answered().filter(pair=OuterRef("pair"), kind=OuterRef("kind"))
    found = (
        rounds.filter(number=number)
        .select_related("pair__human__prompt", "pair__human__source_text", "pair__machine")
        .annotate(
            states=ArraySubquery(_states(Round.objects.filter(game=OuterRef("game")))),
            # Evaluated by the database only where there is a choice.
            players=Case(When(choice__isnull=False, then=_count(of_pair)), default=Value(0)),
            players_right=Case(When(choice__isnull=False, then=_count(of_pair.right())), default=Value(0)),
        )
        .first()
    )
    if found is None:
        raise Http404
    return found


def _states(rounds: QuerySet[Round]) -> QuerySet[Round, str]:
    """Return how each round of a game went, in their order."""
    state = Case(
        When(choice=None, then=Value(OPEN)),
        When(choice=F("human_side"), then=Value(RIGHT)),
        default=Value(WRONG),
        output_field=CharField(),
    )
    return rounds.order_by("number").values_list(state)


def _count(rounds: QuerySet[Round]) -> Coalesce:
    counted = rounds.order_by().values("pair").annotate(count=Count("pk")).values("count")
    # Of no rounds there is no group that could be counted.
    return Coalesce(Subquery(counted), 0)


def first_open(shown: Round) -> int | None:
    """Return the number of the first round of the game that is not answered."""
    states: list[str] = shown.states  # type: ignore[attr-defined]
    return states.index(OPEN) + 1 if OPEN in states else None


def table_of(shown: Round) -> Table:
    """Return what lies on the table in a round. The sides differ in their texts and in nothing else."""
    prompt = shown.pair.human.prompt
    human, machine = (_lines(candidate, prompt) for candidate in (shown.pair.human, shown.pair.machine))
    left, right = (human, machine) if shown.human_side == Side.LEFT else (machine, human)
    states: list[str] = shown.states  # type: ignore[attr-defined]
    return Table(
        number=shown.number,
        dots=tuple(Dot(number, state) for number, state in enumerate(states, start=1)),
        title=prompt.text,
        is_verse=prompt.genre == Genre.POEM,
        language=language_of(prompt),
        texts=(ShownText(Side.LEFT, left), ShownText(Side.RIGHT, right)),
        wording=WORDING[Genre(prompt.genre)],
    )


def language_of(prompt: Prompt) -> str:
    """Return the language of a prompt's texts, as HTML names it."""
    return "zh-Hans" if is_chinese(prompt.text) else "en"


def _lines(candidate: Candidate, prompt: Prompt) -> tuple[str, ...]:
    return tuple(normalised(candidate.text, prompt.genre).split("\n"))


def revealed(shown: Round, game: UUID) -> Revealed:
    """Return what an answered round tells."""
    assert shown.choice is not None
    following = first_open(shown)
    return Revealed(
        table=table_of(shown),
        human_side=Side(shown.human_side),
        choice=Side(shown.choice),
        source=getattr(shown.pair.human, "source_text", None),
        players=shown.players,  # type: ignore[attr-defined]
        players_right=shown.players_right,  # type: ignore[attr-defined]
        next_url=reverse("turing:round", args=[game, following])
        if following
        else reverse("turing:game", args=[game]),
    )


def result_of(visitor: Visitor, game: UUID) -> Result | int:
    """Return the result of a game of the visitor, or the number of the round to be played next; raise 404."""
    rounds = list(
        Round.objects.of_game(game, visitor.owns("game__player"))
        .select_related("pair__human__prompt", "pair__human__source_text")
        .order_by("number")
    )
    if not rounds:
        raise Http404
    for shown in rounds:
        if not shown.is_answered():
            return shown.number
    score = sum(shown.is_right() for shown in rounds)
    dots = tuple(Dot(shown.number, RIGHT if shown.is_right() else WRONG) for shown in rounds)
    language = language_of(rounds[0].pair.human.prompt)
    return Result(
        game, language, dots, rounds, rounds[0].pair.genre, score, str(VERDICTS[score]), percent_of_all()
    )


def share_text(result: Result, address: str) -> str:
    """Return what a player can tell others of a game: the score, the rounds as dots, and where to play."""
    dots = "".join("●" if dot.state == RIGHT else "○" for dot in result.dots)
    sentence = _("I told human from machine in %(score)s of 5 rounds.") % {"score": result.score}
    return f"{sentence} {dots}\n{address}"


def percent_of_all() -> int | None:
    """Return in how many of a hundred rounds all players together found the human text, None before the first."""
    sums = DayTally.objects.filter(belong_to(None), scope=Scope.ALL).aggregate(
        answered=Sum("answered"), selected=Sum("selected")
    )
    if not sums["answered"]:
        return None
    percent: float = 100 * (sums["answered"] - sums["selected"]) / sums["answered"]
    return round(percent)


@dataclass(frozen=True)
class Record:
    """What a visitor has played so far."""

    games: int
    answered: int
    right: int


def record_of(visitor: Visitor) -> Record:
    """Return the visitor's record, in one query."""
    sums = (
        Round.objects.answered()
        .filter(visitor.owns("game__player"))
        .aggregate(
            games=Count("game", filter=Q(number=ROUNDS_IN_GAME)),
            answered=Count("pk"),
            right=Count("pk", filter=Q(choice=F("human_side"))),
        )
    )
    return Record(**sums)
