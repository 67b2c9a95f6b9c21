"""What is in files of ratings, for one look before anything is stored (pure)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
import scipy.sparse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from scipy.sparse.csgraph import connected_components

from annotations.imports.rating_columns import Reading
from annotations.imports.rating_records import PREFERENCE, RatingRecords
from annotations.models.numbers import LARGEST_SCORE
from generation.files.problems import listed
from generation.refusals import Refused
from stats.scores import Floats, Ints

# Scales that people use; the narrowest one that holds all scores is guessed.
USUAL_SCALES = (
    (0, 1), (-1, 1), (1, 3), (1, 4), (0, 3), (1, 5), (0, 4), (-2, 2), (0, 5), (1, 6), (1, 7), (0, 6), (-3, 3), (1, 10),
    (0, 10), (1, 100), (0, 100),
)  # fmt: skip
OVERALL = frozenset({"overall", "overall quality", "overall_quality", "总体", "整体"})
# Who gave so many ratings on a criterion and all alike is named.
FEWEST_FOR_CONSTANT = 5
NAMES_SHOWN = 20
LONGEST_KEY = 40


@dataclass(frozen=True)
class CriterionFound:
    """A criterion with its scale: as it was given, or guessed from the scores."""

    key: str
    label: str
    minimum: float
    maximum: float
    lower_is_better: bool
    is_overall: bool
    is_guessed: bool
    ratings: int
    lowest: float
    highest: float
    off_scale: int


@dataclass(frozen=True)
class Summary:
    """The counts of a file of ratings, and what makes one look twice."""

    ratings: int
    missing: int
    repeats: int
    evaluators: int
    prompts: int
    methods: tuple[str, ...]
    criteria: tuple[CriterionFound, ...]
    texts: int
    texts_given: int
    picks: int
    # Least, median and most ratings of a text on one criterion.
    ratings_a_text: tuple[int, float, int]
    # Ratings of each evaluator: least, median and most.
    ratings_an_evaluator: tuple[int, float, int]
    # Into how many parts evaluators and prompts, evaluators and methods, prompts and methods fall apart.
    pieces: tuple[int, int, int]
    whole_pages: float
    # Pairs of methods that no evaluator rated both of.
    unshared: tuple[tuple[str, str], ...]
    constant: tuple[str, ...]
    alike: tuple[tuple[str, ...], ...]
    methods_lacking_prompts: tuple[tuple[str, int], ...]
    names_evaluators: bool
    has_positions: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as plain data."""
        return asdict(self)

    @property
    def off_scale(self) -> int:
        return sum(one.off_scale for one in self.criteria)


def first_of(records: RatingRecords) -> tuple[Ints, Ints]:
    """Return the first rating of each evaluator, text and criterion, in their order, and the key of every rating."""
    evaluator, prompt, method, criterion = records.codes()
    key = ((evaluator * len(records.prompts) + prompt) * len(records.methods) + method) * len(
        records.criteria
    )
    key += criterion
    _keys, first = np.unique(key, return_index=True)
    return first, key


def criteria_of(records: RatingRecords, reading: Reading, first: Ints) -> tuple[CriterionFound, ...]:
    """Return the criteria with their scales; raise `Refused` for scores off a given scale that are not to be kept."""
    scores = np.frombuffer(records.scores)
    criterion = records.codes()[3]
    labels = list(records.criteria)
    keys = slugs(labels, "criterion", LONGEST_KEY)
    known = set(labels) | set(keys)
    if unknown := (set(reading.scales) | set(reading.lower_is_better) | ({reading.overall} - {""})) - known:
        raise Refused(
            _("There is no criterion %(key)s; the criteria are %(keys)s.")
            % {"key": sorted(unknown)[0], "keys": listed(labels)}
        )
    overall = reading.overall or next((label for label in labels if label.strip().casefold() in OVERALL), "")
    found = []
    for number, (label, key) in enumerate(zip(labels, keys, strict=True)):
        given = scores[criterion == number]
        low, high = float(given.min()), float(given.max())
        ends = reading.scales.get(key) or reading.scales.get(label)
        minimum, maximum = ends or _usual_scale(given, label)
        if not -LARGEST_SCORE <= minimum < maximum <= LARGEST_SCORE:
            raise Refused(
                _("The scale of %(criterion)s must lie between %(lowest)s and %(highest)s.")
                % {"criterion": label, "lowest": -LARGEST_SCORE, "highest": LARGEST_SCORE}
            )
        off_scale = int(((given < minimum) | (given > maximum)).sum())
        if off_scale and not reading.keeps_off_scale:
            raise Refused(
                ngettext(
                    "%(count)d score on %(criterion)s is off its scale %(minimum)g to %(maximum)g: they run from"
                    " %(low)g to %(high)g. Give another scale, or say that it is to be kept and flagged.",
                    "%(count)d scores on %(criterion)s are off its scale %(minimum)g to %(maximum)g: they run from"
                    " %(low)g to %(high)g. Give another scale, or say that they are to be kept and flagged.",
                    off_scale,
                )
                % {
                    "count": off_scale, "criterion": label, "minimum": minimum, "maximum": maximum, "low": low,
                    "high": high,
                }
            )  # fmt: skip
        found.append(
            CriterionFound(
                key=key,
                label=label[:80],
                minimum=minimum,
                maximum=maximum,
                lower_is_better=bool({key, label} & set(reading.lower_is_better)),
                is_overall=overall in (key, label),
                is_guessed=ends is None,
                ratings=int((criterion[first] == number).sum()),
                lowest=low,
                highest=high,
                off_scale=off_scale,
            )
        )
    return tuple(found)


def _usual_scale(scores: Floats, label: str) -> tuple[float, float]:
    low, high = float(scores.min()), float(scores.max())
    if label == PREFERENCE:
        return 0, 1
    fitting = [scale for scale in USUAL_SCALES if scale[0] <= low and high <= scale[1]]
    if (fitting and (scores == np.floor(scores)).all()) or (fitting and min(fitting, key=_width) == (0, 1)):
        return min(fitting, key=_width)
    # A measure of its own, such as a sum of penalties: from 0, or from its lowest value, to the next whole number.
    return min(0.0, float(np.floor(low))), max(float(np.ceil(high)), float(np.floor(low)) + 1)


def _width(scale: tuple[int, int]) -> int:
    return scale[1] - scale[0]


def summary(records: RatingRecords, reading: Reading) -> Summary:
    """Return what is in the records, in time that grows with the ratings."""
    first, _key = first_of(records)
    evaluator, prompt, method, criterion = (codes[first] for codes in records.codes())
    scores = np.frombuffer(records.scores)[first]
    methods, evaluators = list(records.methods), list(records.evaluators)
    text = prompt * len(methods) + method
    by_text = np.unique(text * len(records.criteria) + criterion, return_counts=True)[1]
    by_evaluator = np.bincount(evaluator, minlength=len(evaluators))
    rates = np.zeros((len(evaluators), len(methods)), dtype=np.bool_)
    rates[evaluator, method] = True
    shared = rates.T.astype(np.int64) @ rates.astype(np.int64)
    texts = np.unique(text)
    of_method = np.bincount(texts % len(methods), minlength=len(methods))
    return Summary(
        ratings=len(first),
        missing=records.missing,
        repeats=len(records) - len(first),
        evaluators=len(evaluators),
        prompts=len(records.prompts),
        methods=tuple(methods),
        criteria=criteria_of(records, reading, first),
        texts=len(texts),
        texts_given=len(records.texts),
        picks=len(records.picks),
        ratings_a_text=_spread(by_text),
        ratings_an_evaluator=_spread(by_evaluator[by_evaluator > 0]),
        pieces=(
            _pieces(evaluator, prompt, len(evaluators), len(records.prompts)),
            _pieces(evaluator, method, len(evaluators), len(methods)),
            _pieces(prompt, method, len(records.prompts), len(methods)),
        ),
        whole_pages=_whole_pages(evaluator, prompt, method, len(records.prompts), len(methods)),
        unshared=tuple(
            (methods[a], methods[b]) for a, b in combinations(range(len(methods)), 2) if not shared[a, b]
        )[:NAMES_SHOWN],
        constant=_constant(evaluator, criterion, scores, evaluators),
        alike=_alike(evaluators),
        methods_lacking_prompts=tuple(
            (name, len(records.prompts) - int(count))
            for name, count in zip(methods, of_method, strict=True)
            if count < len(records.prompts)
        ),
        names_evaluators=records.names_evaluators,
        has_positions=bool(records.positions) and min(records.positions) >= 0,
    )


def _spread(counts: Ints) -> tuple[int, float, int]:
    return int(counts.min()), float(np.median(counts)), int(counts.max())


def _pieces(one: Ints, other: Ints, ones: int, others: int) -> int:
    joined = scipy.sparse.coo_array((np.ones(len(one)), (one, ones + other)), shape=(ones + others,) * 2)
    return int(connected_components(joined, directed=False)[0])


def _whole_pages(evaluator: Ints, prompt: Ints, method: Ints, prompts: int, methods: int) -> float:
    """Return the share of pages on which an evaluator rated every method that wrote for the prompt."""
    rated = np.unique((evaluator * prompts + prompt) * methods + method)
    pages, counts = np.unique(rated // methods, return_counts=True)
    texts = np.unique(prompt * methods + method)
    of_prompt = np.bincount(texts // methods, minlength=prompts)
    return float((counts == of_prompt[pages % prompts]).mean())


def _constant(evaluator: Ints, criterion: Ints, scores: Floats, names: Sequence[str]) -> tuple[str, ...]:
    """Return who gave all their texts one and the same score on a criterion."""
    key = evaluator * (int(criterion.max()) + 1) + criterion
    order = np.lexsort((scores, key))
    key, scores = key[order], scores[order]
    starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    ends = np.r_[starts[1:], len(key)] - 1
    alike = (scores[starts] == scores[ends]) & (ends - starts + 1 >= FEWEST_FOR_CONSTANT)
    found = dict.fromkeys(names[int(evaluator[order][start])] for start in starts[alike])
    return tuple(found)[:NAMES_SHOWN]


def _alike(names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return names that differ in case and blanks alone: perhaps one evaluator."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups["".join(name.split()).casefold()].append(name)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)[:NAMES_SHOWN]


def slugs(names: Sequence[str], fallback: str, longest: int) -> list[str]:
    """Return a slug for each name, no two alike.

    >>> slugs(["Fluency", "fluency!", "流畅"], "criterion", 40)
    ['fluency', 'fluency-2', 'criterion-3']
    """
    found: list[str] = []
    for number, name in enumerate(names, start=1):
        base = slugify(name)[:longest] or f"{fallback}-{number}"
        slug, again = base, 2
        while slug in found:
            ending = f"-{again}"
            slug, again = base[: longest - len(ending)] + ending, again + 1
        found.append(slug)
    return found
