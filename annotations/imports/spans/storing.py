"""Storing marked errors as a closed study of error spans that is marked as collected elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from annotations.access.log import log_act
from annotations.imports.spans.records import SpanRecords, TextKey, read_spans
from annotations.imports.studies import create_once
from annotations.models import (
    Assignment,
    Enrolment,
    EvaluatorGroup,
    Marking,
    PageCandidate,
    Placement,
    RatingImport,
    Span,
    Study,
    StudyRole,
)
from annotations.models.texts_by_language import TextsByLanguage, named_by
from annotations.questionnaire.marking.scheme import scheme_of
from annotations.setup.error_categories.rows import store_categories
from annotations.setup.rubrics import Rubric, load_rubric
from generation.files.candidates import method_key
from generation.files.encoding import read_as_said
from generation.files.problems import shown
from generation.files.tables import read_table
from generation.prompts import PromptContent
from generation.refusals import Refused
from generation.runs.runs import ImportedText

BATCH = 2_000


@dataclass(frozen=True)
class FoundSpans:
    """What a file of marked errors holds: nothing of it is stored."""

    name: str
    digest: str
    rubric: Rubric
    records: SpanRecords

    def summary(self) -> dict[str, int]:
        """Return how many there are of what."""
        found = self.records
        return {
            "evaluators": len(found.markings),
            "prompts": len(found.prompts),
            "methods": len(found.methods),
            "texts": len(found.texts),
            "readings": sum(map(len, found.markings.values())),
            "marks": found.marks,
            "categories": len(found.categories),
            "severities": len(found.severities),
        }


def find_spans(
    path: Path, name: str, *, rubric: Rubric | None = None, encoding: str = "", sheet: str = ""
) -> FoundSpans:
    """Read a file of marked errors by the kinds of a rubric, or by those of the file with its penalties.

    Raises `FileRefused` with everything wrong by its place, `Refused` where there is nothing to compare.
    """
    given = rubric if rubric is not None else load_rubric("mqm")
    derived = tuple(one for one in given.criteria if one.derived)
    if not (derived and given.error_categories):
        raise Refused(_("The rubric has no errors that are marked: take one such as MQM or ESA."))
    table = read_as_said(partial(read_table, path, name, sheet=sheet), encoding)
    kinds = (given.severities, given.error_categories) if rubric is not None else ((), ())
    records = read_spans(table, *kinds)
    if len(records.methods) < 2:
        raise Refused(
            _("All texts are by one method, %(method)s: there is nothing to compare.")
            % {"method": shown(records.methods[0])}
        )
    said = [str(kind) for kind in (*records.severities, *records.categories)]
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256("\n".join((content, *said)).encode()).hexdigest()
    return FoundSpans(name, digest, replace(given, criteria=derived), records)


@transaction.atomic
def import_spans(
    found: FoundSpans,
    *,
    slug: str,
    title: Mapping[str, str] | None = None,
    by: User | None = None,
) -> tuple[Study, bool]:
    """Return the closed study made of marked errors, and whether it was made now: the same again changes nothing.

    Raises `Refused` where another study has the slug, ValidationError for a slug or title that no study can have.
    """
    records = found.records
    texts = [
        ImportedText(PromptContent(one.prompt, external_id=one.prompt_id), method_key(key.method), one.text)
        for key, one in records.texts.items()
    ]
    study = Study(
        slug=slug,
        title=TextsByLanguage(title or {}) or named_by(slug),
        state=Study.State.CLOSED,
        protocol="spans",
        has_best_picks=False,
        allows_missing_texts=len(texts) < len(records.methods) * len(records.prompts),
    )
    study, is_new = create_once(
        study,
        "text",
        found.rubric.criteria,
        texts,
        source={"import": found.name, "sha256": found.digest},
        labels={method_key(name): name for name in records.methods},
    )
    if not is_new:
        return study, False
    store_categories(study, records.severities, records.categories)
    RatingImport.objects.create(
        study=study,
        kind=RatingImport.Kind.SPANS,
        files=[{"name": found.name, "sha256": found.digest}],
        reading={},
        summary=found.summary(),
        digest=found.digest,
        has_positions=_store_markings(study, records),
        imported_by=by,
    )
    if by is not None:
        StudyRole.objects.create(study=study, user=by, role=StudyRole.Role.OWNER)
    log_act(study, by, "ratings.imported", sha256=found.digest)
    return study, True


def _store_markings(study: Study, records: SpanRecords) -> bool:
    """Store who marked what; return whether it is known where each text stood on its page."""
    rows = PageCandidate.objects.filter(page__subtask__study=study).values_list(
        "candidate_id", "page_id", "page__subtask_id", "study_method__method__key",
        "candidate__prompt__external_id", "candidate__prompt__text",
    )  # fmt: skip
    stored = {
        (prompt_id or prompt, method): (candidate, page, subtask)
        for candidate, page, subtask, method, prompt_id, prompt in rows
    }
    place = {key: stored[key.prompt, method_key(key.method)] for key in records.texts}
    enrolments = _enrolled(study, records)
    placements, has_positions = _placements(records, enrolments, place)
    Assignment.objects.bulk_create(
        [
            Assignment(enrolment_id=enrolments[who], subtask_id=subtask)
            for who, of in records.markings.items()
            for subtask in sorted({place[key][2] for key in of})
        ],
        batch_size=BATCH,
    )
    Placement.objects.bulk_create(placements, batch_size=BATCH)
    scheme = scheme_of(study.pk)
    each = [
        (enrolments[who], place[key][0], one)
        for who, of in records.markings.items()
        for key, one in of.items()
    ]
    Marking.objects.bulk_create(
        [Marking(enrolment_id=who, candidate_id=text, is_done=one.is_done) for who, text, one in each],
        batch_size=BATCH,
    )
    Span.objects.bulk_create(
        [
            Span(
                enrolment_id=who,
                candidate_id=text,
                number=number,
                start=mark.start,
                end=mark.end,
                category=scheme.category[mark.category],
                severity=scheme.severity[mark.severity],
                note=mark.note,
            )
            for who, text, one in each
            for number, mark in enumerate(one.marks)
        ],
        batch_size=BATCH,
    )
    return has_positions


def _enrolled(study: Study, records: SpanRecords) -> dict[str, int]:
    """Enrol the evaluators as users who cannot log in; return the keys of their enrolments by name."""
    groups = {
        name: EvaluatorGroup(study=study, key=f"group-{number}", name=named_by(name[:80]))
        for number, name in enumerate(dict.fromkeys(records.groups.values()), start=1)
    }
    EvaluatorGroup.objects.bulk_create(groups.values())
    users = User.objects.bulk_create(
        User(username=f"{study.slug}/{number}", password=make_password(None), is_active=False)
        for number in range(1, len(records.markings) + 1)
    )
    enrolments = Enrolment.objects.bulk_create(
        Enrolment(
            study=study,
            evaluator=user,
            number=number,
            pseudonym=name,
            source=Enrolment.Source.IMPORTED,
            deadline=Now(),
            group=groups.get(records.groups.get(name, "")),
        )
        for number, (name, user) in enumerate(zip(records.markings, users, strict=True))
    )
    return {one.pseudonym: one.pk for one in enrolments}


def _placements(
    records: SpanRecords, enrolments: Mapping[str, int], place: Mapping[TextKey, tuple[int, int, int]]
) -> tuple[list[Placement], bool]:
    """Return where each text stood on the page of each evaluator, and whether the file says so for all."""
    pages: dict[tuple[int, int], list[tuple[int | None, int]]] = {}
    for who, of in records.markings.items():
        for key, one in of.items():
            candidate, page, _subtask = place[key]
            pages.setdefault((enrolments[who], page), []).append((one.position, candidate))
    has_positions = all(
        None not in (places := [position for position, _text in texts]) and len(set(places)) == len(places)
        for texts in pages.values()
    )
    lowest = 1 if has_positions else 0
    return [
        Placement(
            enrolment_id=enrolment,
            page_id=page,
            candidate_id=candidate,
            position=(position or lowest) - lowest if has_positions else number,
        )
        for (enrolment, page), texts in pages.items()
        for number, (position, candidate) in enumerate(texts)
    ], has_positions
