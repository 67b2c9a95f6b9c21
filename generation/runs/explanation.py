"""Why a text was chosen: its score and those of the other final hypotheses, by term and by short sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from generation.models import Provenance
from generation.runs.score_bars import Row, stacked

FORWARD, INVERSE = "forward", "inverse"
# What the page calls the terms of a score, and what is known of how a text came about; the rest keeps its key.
TERMS = {
    "forward": _("Forward"),
    "inverse": _("Inverse"),
    "format": _("Rules of verse"),
    "copies": _("Words of the title"),
    "nearness": _("Meaning"),
}
FACTS = {
    "method": _("Method"),
    "service": _("Service"),
    "model": _("Model"),
    "checkpoint": _("Checkpoint"),
    "form": _("Form"),
    "preset": _("Preset"),
    "template": _("Template"),
    "search": _("Search"),
    "weights": _("Weights"),
    "embeddings": _("Embeddings"),
    "seed": _("Seed"),
    "versions": _("Versions"),
    "normaliser": _("Rule of normalisation"),
}


@dataclass(frozen=True)
class HypothesisRow:
    """One final hypothesis: its place from 1, its text, its score with the terms in a fixed order, its bars."""

    place: int
    text: str
    score: str
    terms: tuple[str, ...]
    bars: Row


@dataclass(frozen=True)
class SentenceRow:
    """One short sentence of the chosen text with its two scores; `inverse` is a dash where there is none."""

    text: str
    forward: str
    inverse: str
    bars: Row


@dataclass(frozen=True)
class Explanation:
    """What the page of a candidate shows beside its text."""

    terms: tuple[str, ...]
    hypotheses: tuple[HypothesisRow, ...]
    sentences: tuple[SentenceRow, ...]
    # By how much the chosen text beats the next best, if there is one.
    margin: str
    others: int
    facts: tuple[tuple[str, str], ...]


def explanation(provenance: Provenance) -> Explanation:
    """Return the scores of a candidate's search with their bars."""
    chosen = {
        "text": provenance.candidate.text,
        "score": provenance.score,
        "terms": provenance.terms,
    }
    finals = [chosen, *provenance.runners_up]
    terms = tuple(dict.fromkeys(term for final in finals for term in final["terms"]))
    return Explanation(
        terms=tuple(str(TERMS.get(term, term)) for term in terms),
        hypotheses=_hypotheses(finals, terms),
        sentences=_sentences(provenance.sentences),
        margin=figure(finals[0]["score"] - finals[1]["score"]) if len(finals) > 1 else "",
        others=len(finals) - 1,
        facts=tuple((str(FACTS.get(name, name)), _plain(value)) for name, value in provenance.facts.items()),
    )


def figure(value: float | None) -> str:
    """Return a score with three decimals and a true minus."""
    return "–" if value is None else f"{value:.3f}".replace("-", "−")


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _hypotheses(finals: Sequence[Mapping[str, Any]], terms: Sequence[str]) -> tuple[HypothesisRow, ...]:
    values = [[float(final["terms"].get(term, 0.0)) for term in terms] for final in finals]
    return tuple(
        HypothesisRow(place, final["text"], figure(final["score"]), tuple(map(figure, row)), bars)
        for place, (final, row, bars) in enumerate(zip(finals, values, stacked(values), strict=True), start=1)
    )


def _sentences(sentences: Sequence[Mapping[str, Any]]) -> tuple[SentenceRow, ...]:
    values = [[sentence[FORWARD], sentence[INVERSE] or 0.0] for sentence in sentences]
    return tuple(
        SentenceRow(sentence["text"], figure(sentence[FORWARD]), figure(sentence[INVERSE]), bars)
        for sentence, bars in zip(sentences, stacked(values), strict=True)
    )
