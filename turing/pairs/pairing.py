"""Making pairs of finished texts, and having machine texts written for human ones."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from generation.models import Candidate, RunPrompt
from generation.prompts import PromptContent
from generation.refusals import Refused
from generation.runs.runs import ImportedText, queue_run, record_import
from turing.models import FIRST_STEP, Form, Genre, PairRun, PoemPair, SourceText
from turing.pairs.normalising import normalised, sentences, shape

# Forms in which both sides are sure to have equal lines.
REGULATED = (Form.JUEJU5, Form.JUEJU7, Form.LUSHI5, Form.LUSHI7)
# Any number that nothing else in this database locks.
NUMBERING_LOCK = 7_305_002
MOST_AT_ONCE = 10_000


@dataclass
class Paired:
    """What became of texts that were to be paired; `refused` says why, a sentence each."""

    pairs: list[PoemPair] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def pair_up(
    humans: Sequence[Candidate],
    machines: Sequence[Candidate],
    takeovers: Sequence[int | None] | None = None,
    trios: Sequence[bool] | None = None,
) -> Paired:
    """Pair the i-th human with the i-th machine text and put the pairs into play.

    Refused are pairs whose form would tell the side: other lines or lengths in verse, or the same text twice. A pair
    that is there already is left as it is. Both must come with their prompts (`select_related("prompt")`). Where
    `takeovers` names a sentence, the machine's text is its own from there on, and must begin as the human one. With
    `trios` these are conversations, which are of any form; it says of each two whether one interrogator had both.
    """
    paired = Paired()
    fitting: list[PoemPair] = []
    nothing = [None] * len(humans)
    for human, machine, takeover, trio in zip(
        humans, machines, takeovers or nothing, trios or nothing, strict=True
    ):
        genre = human.prompt.genre if trio is None else Genre.CHAT
        why = misfit(human, machine) or misplaced(human, machine, takeover) if trio is None else ""
        if why:
            paired.refused.append(f"{human.prompt}: {why}")
        else:
            fitting.append(
                PoemPair(genre=genre, human=human, machine=machine, takeover=takeover, is_trio=bool(trio))
            )
    with transaction.atomic():
        # Pairs of a genre are numbered without gaps, so only one may be numbering.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [NUMBERING_LOCK])
        paired.pairs = _new_pairs(fitting)
        PoemPair.objects.bulk_create(paired.pairs, batch_size=2000)
    return paired


def misfit(human: Candidate, machine: Candidate) -> str:
    """Return why the form or text of two candidates would tell the side, or "" where it does not."""
    genre = human.prompt.genre
    if machine.prompt_id != human.prompt_id:
        return f"the machine's text is for {machine.prompt}"
    texts = [
        normalised(candidate.text, "poem" if genre == "poem" else "qa") for candidate in (human, machine)
    ]
    if texts[0] == texts[1]:
        return "both texts are the same"
    if genre == Genre.POEM and shape(texts[0]) != shape(texts[1]):
        return f"the lines differ in number or length: {shape(texts[0])} and {shape(texts[1])}"
    return ""


def misplaced(human: Candidate, machine: Candidate, takeover: int | None) -> str:
    """Return why the machine's text cannot be one that a machine takes over at a sentence, or "" where it can."""
    if takeover is None:
        return ""
    genre = human.prompt.genre
    whole, gone_on = sentences(human.text, genre), sentences(machine.text, genre)
    if not FIRST_STEP <= takeover <= len(gone_on):
        return f"the machine cannot begin at sentence {takeover} of {len(gone_on)}"
    if whole[: takeover - 1] != gone_on[: takeover - 1]:
        return f"the machine's text is another one before sentence {takeover}"
    if whole[takeover - 1 : takeover] == gone_on[takeover - 1 : takeover]:
        return f"sentence {takeover} is the human's own"
    return ""


def _new_pairs(fitting: Sequence[PoemPair]) -> list[PoemPair]:
    """Return those that are not stored yet, numbered on from the last pair of their genre."""
    there = set(
        PoemPair.objects.filter(machine__in={pair.machine_id for pair in fitting}).values_list(
            "human", "machine"
        )
    )
    kinds = {(pair.genre, pair.takeover is not None) for pair in fitting}
    numbers = {
        (genre, boundary): PoemPair.objects.next_number(genre, boundary=boundary) for genre, boundary in kinds
    }
    pairs = []
    for pair in fitting:
        if (pair.human_id, pair.machine_id) not in there:
            there.add((pair.human_id, pair.machine_id))
            kind = (pair.genre, pair.takeover is not None)
            pair.number = numbers[kind]
            pairs.append(pair)
            numbers[kind] += 1
    return pairs


@transaction.atomic
def human_candidates(texts: Sequence[SourceText], genre: str = Genre.POEM) -> list[Candidate]:
    """Return the candidate of each human text in the same order, made now where it has none, with its prompt."""
    waiting = {text.pk: text for text in texts if text.candidate_id is None}
    while waiting:
        # A run holds one text for a prompt, so the poems of one title go into several runs.
        layer = {text.title: text for text in reversed(waiting.values())}
        made = record_import(
            genre,
            [ImportedText(PromptContent(text.title), "human", text.text) for text in layer.values()],
            source={"import": "source texts"},
        )
        for text, candidate in zip(layer.values(), made, strict=True):
            text.candidate_id = candidate.pk
            del waiting[text.pk]
        SourceText.objects.bulk_update(layer.values(), ["candidate"], batch_size=2000)
    stored = Candidate.objects.select_related("prompt").in_bulk([text.candidate_id for text in texts])
    return [stored[text.candidate_id] for text in texts]


def pick_texts(count: int, seed: int, *, alike: bool = False) -> list[SourceText]:
    """Draw human poems in regulated forms, no two of one title; the same seed draws the same from the same poems.

    With `alike` poems are drawn whose characters are those of the machine's poems in play (`stats.game.characters`).
    Raises `Refused`.
    """
    poems = SourceText.objects.filter(form__in=REGULATED).exclude(title="").order_by("source_id")
    rows = list(poems.values_list("pk", "title"))
    random.Random(seed).shuffle(rows)  # noqa: S311 - a draw that can be repeated, and no secret
    picked = list({title: pk for pk, title in reversed(rows)}.values())[::-1]
    picked = _alike(picked, count, seed) if alike else picked[:count]
    if len(picked) < count:
        raise Refused(
            _("There are %(there)s poems with titles of their own, not %(count)s: import_quantangshi")
            % {"there": f"{len(picked):,}", "count": f"{count:,}"}
        )
    texts = SourceText.objects.in_bulk(picked)
    return [texts[pk] for pk in picked]


def _alike(keys: list[int], count: int, seed: int) -> list[int]:
    """Return those poems, the forms in their shares of all, whose characters do not tell them from a machine's."""
    # NumPy and SciPy, which no page of the game needs.
    from stats.game.characters import draw_alike
    from stats.game.superficial import FEWEST_PAIRS

    machines = list(
        PoemPair.objects.filter(genre=Genre.POEM, takeover=None)
        .order_by("pk")
        .values_list("machine__text", flat=True)
    )
    if len(machines) < FEWEST_PAIRS:
        raise Refused(
            _(
                "What the characters of the machine's poems are is learned from those in play: %(fewest)d at least, "
                "not %(there)d."
            )
            % {"fewest": FEWEST_PAIRS, "there": len(machines)}
        )
    texts = dict(SourceText.objects.filter(pk__in=keys).values_list("pk", "text"))
    forms = dict(SourceText.objects.filter(pk__in=keys).values_list("pk", "form"))
    shares = Counter(forms.values())
    counts = {form: count * n // len(keys) for form, n in sorted(shares.items())}
    counts[shares.most_common(1)[0][0]] += count - sum(counts.values())
    places = draw_alike([texts[key] for key in keys], [forms[key] for key in keys], machines, counts, seed)
    return [keys[place] for place in places]


@transaction.atomic
def queue_pairs(
    count: int,
    *,
    method: str,
    seed: int = 0,
    model: str = "",
    preset: str = "",
    boundary: bool = False,
    alike: bool = False,
) -> list[PairRun]:
    """Queue machine texts for human ones drawn at random, one run a form; `pair_finished` pairs them.

    With `boundary` the machine goes on from the human text, at a sentence that is drawn; with `alike` the human texts
    are drawn by `pick_texts` so that their characters do not tell them. Raises `Refused`.
    """
    if not 1 <= count <= MOST_AT_ONCE:
        raise Refused(
            _("Between 1 and %(most)d texts are written at a time; this would be %(count)d.")
            % {"most": MOST_AT_ONCE, "count": count}
        )
    texts = pick_texts(count, seed, alike=alike)
    rng = random.Random(seed)  # noqa: S311 - a draw that can be repeated, and no secret
    pair_runs = []
    for form in REGULATED:
        humans = human_candidates([text for text in texts if text.form == form])
        if humans:
            prompts = [human.prompt for human in humans]
            openings = [opening_for(human, rng) for human in humans] if boundary else ()
            run = queue_run(
                method,
                prompts,
                model=model,
                preset=preset,
                seed=seed,
                config={"form": form.value},
                openings=openings,
            )
            pair_run = PairRun.objects.create(run=run)
            pair_run.humans.set(humans)
            pair_runs.append(pair_run)
    return pair_runs


def opening_for(human: Candidate, rng: random.Random) -> str:
    """Return the beginning of a human text, up to before a sentence that is drawn; the first one is always in it."""
    whole = sentences(human.text, human.prompt.genre)
    return "".join(whole[: rng.randrange(1, len(whole))])


def pair_finished() -> Paired:
    """Pair what the workers have finished since the last time; may be called at any time, by several at once."""
    paired = Paired()
    for pk in PairRun.objects.filter(ended_at=None).values_list("pk", flat=True):
        with transaction.atomic():
            # Whoever comes second leaves the run to the first.
            claimed = PairRun.objects.select_for_update(skip_locked=True).filter(pk=pk, ended_at=None).first()
            if claimed:
                done = _pair_run(claimed)
                paired.pairs += done.pairs
                paired.refused += done.refused
    return paired


def _pair_run(pair_run: PairRun) -> Paired:
    """Pair the new texts of a run; when nothing more can come it ends."""
    # Read first: what is written after this look is not missed, since the run is then still open.
    is_open = pair_run.run.is_open()
    human_of = {human.prompt_id: human for human in pair_run.humans.select_related("prompt")}
    machines = list(
        Candidate.objects.filter(run=pair_run.pk, pairs_as_machine=None)
        .select_related("prompt")
        .order_by("pk")
    )
    openings = dict(
        RunPrompt.objects.filter(run=pair_run.pk).exclude(opening="").values_list("prompt", "opening")
    )
    takeovers = [
        len(sentences(openings[machine.prompt_id], machine.prompt.genre)) + 1
        if machine.prompt_id in openings
        else None
        for machine in machines
    ]
    paired = pair_up([human_of[machine.prompt_id] for machine in machines], machines, takeovers)
    if not is_open:
        PairRun.objects.filter(pk=pair_run.pk).update(ended_at=Now())
    return Paired(paired.pairs, paired.refused if not is_open else [])
