"""Where in a text evaluators marked errors: the share of them for each stretch, as a picture and in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from annotations.models import Marking, Span, Study
from annotations.questionnaire.marking.marks import Mark, marked_text
from stats.reports.numbers import percent

# Shades of the picture, from the fewest evaluators to all.
SHADES = 5


@dataclass(frozen=True)
class MarkedStretch:
    """Words that evaluators marked: by how many of all, and as what."""

    words: str
    evaluators: int
    share: str
    kinds: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class HeatMap:
    """A text with its marks: the picture, what it says in words, and how many have marked all errors of it."""

    html: SafeString
    stretches: tuple[MarkedStretch, ...]
    evaluators: int


def heat_maps(study: Study, page: int, evaluators: Iterable[str]) -> dict[int, HeatMap]:
    """Return the picture of each text of a page (primary keys) by these evaluators (pseudonyms), with four queries."""
    of_page = {
        "enrolment__study": study,
        "enrolment__pseudonym__in": list(evaluators),
        "candidate__pagecandidate__page": page,
    }
    readers = Counter(Marking.objects.filter(**of_page, is_done=True).values_list("candidate_id", flat=True))
    marks: dict[int, list[tuple[int, Mark]]] = {}
    categories = {one.pk: one for one in study.error_categories.all()}
    for span in Span.objects.filter(**of_page).order_by("start", "end").select_related("severity"):
        label = pgettext("kind of an error", "%(category)s, %(severity)s") % {
            "category": categories[span.category_id].label,
            "severity": span.severity.label,
        }
        mark = Mark(label, "", span.start, span.end, span.note)
        marks.setdefault(span.candidate_id, []).append((span.enrolment_id, mark))
    texts = dict(Marking.objects.filter(**of_page).values_list("candidate_id", "candidate__text").distinct())
    return {
        candidate: heat_map(
            marked_text(written, study.normalisation, study.genre).shown,
            [
                (who, marked_text(written, study.normalisation, study.genre).to_shown(mark))
                for who, mark in marks.get(candidate, [])
            ],
            readers[candidate],
        )
        for candidate, written in texts.items()
    }


def heat_map(text: str, marks: Sequence[tuple[int, Mark]], readers: int) -> HeatMap:
    """Return the picture of a text by the marks of so many readers, each with who made it."""
    placed = [
        (who, one.start, one.end) for who, one in marks if one.start is not None and one.end is not None
    ]
    cuts = sorted(
        {0, len(text), *(start for _who, start, _end in placed), *(end for _who, _start, end in placed)}
    )
    pieces = []
    for start, end in pairwise(cuts):
        count = len({who for who, first, last in placed if first <= start and end <= last})
        shade = 0 if not (count and readers) else max(1, min(SHADES, -(-SHADES * count // readers)))
        pieces.append((f"heat heat-{shade}", text[start:end]) if shade else ("", text[start:end]))
    html = format_html(
        '<div class="written">{}</div>',
        format_html_join("", '<span class="{}">{}</span>', pieces),
    )
    groups: dict[tuple[int | None, int | None], list[tuple[int, Mark]]] = {}
    for who, one in marks:
        groups.setdefault((one.start, one.end), []).append((who, one))
    stretches = tuple(
        MarkedStretch(
            words=words_at(text, start, end),
            evaluators=(count := len({who for who, _one in group})),
            share=percent(count / readers) if readers else "",
            kinds=pgettext("list", ", ").join(
                f"{label} ({times})" for label, times in Counter(one.category for _who, one in group).items()
            ),
            notes=tuple(one.note for _who, one in group if one.note),
        )
        for (start, end), group in groups.items()
    )
    return HeatMap(html, stretches, readers)


def words_at(text: str, start: int | None, end: int | None) -> str:
    """Return what is marked, in words."""
    if start is None:
        return _("somewhere in the text")
    if start == end:
        return _("missing before “%(words)s”") % {"words": text[start : start + 20]}
    return f"“{text[start:end]}”"
