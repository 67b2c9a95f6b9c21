"""What the pages of a game show, read from the database."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, CharField, Count, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce
from django.http import Http404
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from generation.models import Candidate
from generation.texts.normalising import is_chinese
from stats.game.boundary import points_for
from stats.reports.numbers import percent
from turing.game.players import Visitor
from turing.game.wording import VERDICTS, WORDING, Wording
from turing.models import (
    IS_RIGHT,
    ROUNDS_IN_GAME,
    DayTally,
    Genre,
    Kind,
    PoemPair,
    Round,
    Scope,
    Side,
    SourceText,
)
from turing.pairs.conversations import Message, messages_of
from turing.pairs.normalising import normalised, sentences

RIGHT, WRONG, OPEN = "right", "wrong", "open"
# Of so many who had the same it is said how many were right, so that a round costs no more where millions had it.
MOST_COUNTED = 1_000


@dataclass(frozen=True)
class Dot:
    """One of the five rounds in the row of dots: its number and how it went."""

    number: int
    state: str


@dataclass(frozen=True)
class ShownText:
    """A text as it lies on the page; nothing here says who wrote it."""

    side: Side
    lines: tuple[str, ...] = ()
    # Of a conversation, in place of lines.
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True)
class Table:
    """One round before the answer: all that its page is made from.

    Of a boundary `texts` holds the sentences so far, a line each, of which `step` is the last and `most` all there are.
    """

    kind: Kind
    number: int
    dots: tuple[Dot, ...]
    title: str
    is_verse: bool
    language: str
    texts: tuple[ShownText, ...]
    wording: Wording
    step: int = 0
    most: int = 0

    @property
    def is_last_step(self) -> bool:
        return self.step == self.most


@dataclass(frozen=True)
class Revealed:
    """One round after the choice, with the share of all its players who were right."""

    table: Table
    is_right: bool
    human_side: Side | None
    choice: Side | None
    source: SourceText | None
    players: int
    players_right: int
    next_url: str
    # Of a boundary: where it was, and the points for what was said.
    takeover: int = 0
    points: int = 0
    sentences: tuple[str, ...] = ()

    @property
    def is_human(self) -> bool:
        """Whether the one text is a human's."""
        return self.human_side == Side.LEFT

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
    kind: Kind
    score: int
    verdict: str
    percent_of_all: int | None
    points: int = 0


def load_round(visitor: Visitor, game: UUID, number: int) -> Round:
    """Return a round of the visitor with all that its page shows, in one query; raise 404."""
    rounds = Round.objects.of_game(game, visitor.owns("game__player"))
    # Of one text only those who had the same one.
    this = {name: OuterRef(OuterRef(name)) for name in ("human_side", "pair", "kind")}
    same = Q(human_side=this["human_side"]) | ~Q(kind__in=[Kind.TEXT, Kind.CHAT])
    had = Round.objects.answered().filter(same, pair=this["pair"], kind=this["kind"])
    of_pair = Round.objects.filter(pk__in=had.values("pk")[:MOST_COUNTED])
    found = (
        rounds.filter(number=number)
        .select_related("pair__human__prompt", "pair__human__source_text", "pair__machine")
        .annotate(
            states=ArraySubquery(_states(Round.objects.filter(game=OuterRef("game")))),
            # Evaluated by the database only where there is a choice.
            players=Case(When(answered_at__isnull=False, then=_count(of_pair)), default=Value(0)),
            players_right=Case(
                When(answered_at__isnull=False, then=_count(of_pair.right())), default=Value(0)
            ),
        )
        .first()
    )
    if found is None:
        raise Http404
    return found


def _states(rounds: QuerySet[Round]) -> QuerySet[Round, str]:
    """Return how each round of a game went, in their order."""
    state = Case(
        When(answered_at=None, then=Value(OPEN)),
        When(IS_RIGHT, then=Value(RIGHT)),
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
    kind, genre = Kind(shown.kind), Genre(shown.pair.genre)
    step, most = 0, 0
    if kind == Kind.BOUNDARY:
        whole = sentences(shown.pair.machine.text, genre)
        step, most = shown.step or 0, len(whole)
        texts: tuple[ShownText, ...] = (ShownText(Side.LEFT, tuple(whole[:step])),)
    else:
        sides = [shown.pair.human, shown.pair.machine]
        if shown.human_side == Side.RIGHT:
            sides.reverse()
        shown_here = zip(Side, sides[: 1 if kind.shows_one else 2], strict=False)
        texts = tuple(_shown_text(side, candidate, genre) for side, candidate in shown_here)
    states: list[str] = shown.states  # type: ignore[attr-defined]
    return Table(
        kind=kind,
        number=shown.number,
        dots=tuple(Dot(number, state) for number, state in enumerate(states, start=1)),
        # The words of either conversation would say more of it than of the other.
        title=capfirst(str(kind.label)) if genre == Genre.CHAT else shown.pair.heading,
        is_verse=genre == Genre.POEM,
        language=language_of(shown.pair),
        texts=texts,
        wording=WORDING[kind, genre],
        step=step,
        most=most,
    )


def language_of(pair: PoemPair) -> str:
    """Return the language of a pair's texts, as HTML names it."""
    said = pair.human.text if pair.genre == Genre.CHAT else pair.heading
    return "zh-Hans" if is_chinese(said) else "en"


def _shown_text(side: Side, candidate: Candidate, genre: Genre) -> ShownText:
    if genre != Genre.CHAT:
        return ShownText(side, tuple(normalised(candidate.text, genre).split("\n")))
    said = messages_of(candidate.text)
    return ShownText(side, messages=tuple(Message(one.by, normalised(one.text, Genre.QA)) for one in said))


def revealed(shown: Round, game: UUID) -> Revealed:
    """Return what an answered round tells."""
    following = first_open(shown)
    takeover, step = shown.takeover or 0, shown.step or 0
    return Revealed(
        table=table_of(shown),
        is_right=shown.is_right(),
        human_side=Side(shown.human_side) if shown.human_side else None,
        choice=Side(shown.choice) if shown.choice else None,
        takeover=takeover,
        points=points_for(step, takeover),
        sentences=tuple(sentences(shown.pair.machine.text, shown.pair.genre)) if takeover else (),
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
    language = language_of(rounds[0].pair)
    kind = Kind(rounds[0].kind)
    return Result(
        game,
        language,
        dots,
        rounds,
        rounds[0].pair.genre,
        kind,
        score,
        "" if kind == Kind.BOUNDARY else str(VERDICTS[score]),
        percent_of_all(kind),
        sum(points_for(shown.step or 0, shown.takeover or 0) for shown in rounds),
    )


def share_text(result: Result, address: str) -> str:
    """Return what a player can tell others of a game: the score, the rounds as dots, and where to play."""
    dots = "".join("●" if dot.state == RIGHT else "○" for dot in result.dots)
    if result.kind == Kind.BOUNDARY:
        sentence = _("I found where the machine begins: %(points)s of 25 points.") % {"points": result.points}
    else:
        sentence = _("I told human from machine in %(score)s of 5 rounds.") % {"score": result.score}
    return f"{sentence} {dots}\n{address}"


def percent_of_all(kind: Kind) -> int | None:
    """Return in how many of a hundred rounds of a kind all players together were right, None before the first."""
    sums = DayTally.objects.filter(results__kind=kind, results__room=None, scope=Scope.ALL).aggregate(
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


def record_of(visitor: Visitor, kind: Kind) -> Record:
    """Return the visitor's record in games of a kind, in one query."""
    sums = (
        Round.objects.answered()
        .filter(visitor.owns("game__player"), kind=kind)
        .aggregate(
            games=Count("game", filter=Q(number=ROUNDS_IN_GAME)),
            answered=Count("pk"),
            right=Count("pk", filter=IS_RIGHT),
        )
    )
    return Record(**sums)
