"""Writing the rows of imported ratings: in chunks, by COPY, because a million rows by the ORM take ten minutes."""

from __future__ import annotations

import base64
import io
import math
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice, repeat

import numpy as np
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import connection
from django.db.models.functions import Now

from annotations.imports.rating_records import RatingRecords
from annotations.imports.rating_summary import Summary, first_of, slugs
from annotations.models import (
    BestChoice,
    Criterion,
    Enrolment,
    EvaluatorGroup,
    Page,
    Study,
    StudyMethod,
)
from annotations.models.texts_by_language import named_by
from annotations.setup.pages import lay_out
from generation.files.candidates import method_key
from generation.files.prompt_fields import LONGEST_ID, LONGEST_TAG
from generation.methods import LABELS
from generation.models import GenerationRun, Method
from generation.prompts import PromptContent
from generation.runs.runs import stored_prompts
from generation.texts.languages import guessed_language
from generation.texts.normalising import default_rule
from stats.scores import Ints

# Few, so that the database has rows to store while the next are written out.
ROWS_AT_ONCE = 4_000
BATCH = 2_000
# Where the texts that were rated did not come with the ratings.
NO_TEXT = "—"
LONGEST_LABEL = 100
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def store_rows(
    study: Study, records: RatingRecords, found: Summary, *, evaluators: Sequence[str], digest: str
) -> bool:
    """Store everything that a saved study of imported ratings holds; return whether positions are known.

    `evaluators` are the names under which reports speak of them, in the order of the records.
    """
    criteria = Criterion.objects.bulk_create(
        Criterion(
            study=study,
            number=number,
            key=one.key,
            label=named_by(one.label),
            minimum=one.minimum,
            maximum=one.maximum,
            is_overall=one.is_overall,
            lower_is_better=one.lower_is_better,
        )
        for number, one in enumerate(found.criteria)
    )
    evaluator, prompt, method, criterion = records.codes()
    methods = len(records.methods)
    picks = np.array([(*page, pick) for page, pick in records.picks.items()], dtype=np.int64).reshape(-1, 3)
    # Every text that was rated or picked, by prompt and method in one number.
    texts = np.unique(np.r_[prompt * methods + method, picks[:, 1] * methods + picks[:, 2]])
    candidates, pages = _store_texts(study, records, texts, digest)
    enrolments = _store_evaluators(study, records, evaluators)
    _assign(study, enrolments, pages, evaluator, prompt)

    shown = np.r_[evaluator * (len(records.prompts) * methods) + prompt * methods + method,
                  picks[:, 0] * (len(records.prompts) * methods) + picks[:, 1] * methods + picks[:, 2]]  # fmt: skip
    placed, first_place = np.unique(shown, return_index=True)
    position, has_positions = _positions(records, placed, first_place, len(evaluator))
    of_evaluator, of_text = np.divmod(placed, len(records.prompts) * methods)
    copy_rows(
        "annotations_placement (enrolment_id, page_id, candidate_id, position, token)",
        len(placed),
        enrolments[of_evaluator],
        pages[of_text // methods],
        candidates[np.searchsorted(texts, of_text)],
        position,
        tokens(len(placed)),
    )
    first, key = first_of(records)
    of_candidate = candidates[np.searchsorted(texts, prompt * methods + method)]
    criterion_pks = np.array([one.pk for one in criteria])
    scores = np.frombuffer(records.scores)
    low = np.array([one.minimum for one in found.criteria])[criterion]
    high = np.array([one.maximum for one in found.criteria])[criterion]
    off_scale = np.where((scores < low) | (scores > high), "t", "f")
    # In the order of the placements: keys that grow are looked up and indexed in a fraction of the time.
    copy_rows(
        "annotations_rating (enrolment_id, candidate_id, criterion_id, score, off_scale, client_order, saved_at)",
        len(first),
        enrolments[evaluator[first]],
        of_candidate[first],
        criterion_pks[criterion[first]],
        scores[first],
        off_scale[first],
        repeat("0"),
        _times(records, first),
    )
    _store_repeats(first, key, enrolments[evaluator], of_candidate, criterion_pks[criterion], scores)
    BestChoice.objects.bulk_create(
        (
            BestChoice(
                enrolment_id=int(enrolments[who]),
                page_id=int(pages[at]),
                candidate_id=int(candidates[np.searchsorted(texts, at * methods + picked)]),
            )
            for who, at, picked in picks.tolist()
        ),
        batch_size=BATCH,
    )
    return has_positions


def _store_texts(study: Study, records: RatingRecords, texts: Ints, digest: str) -> tuple[Ints, Ints]:
    """Store prompts, methods, texts and pages; return the keys of the texts and each prompt's page."""
    prompts = [_prompt(records, name, number) for name, number in records.prompts.items()]
    study.normalisation = default_rule(study.genre)
    if records.texts:
        study.text_language = guessed_language(list(records.texts.values()))
    study.save(update_fields=["normalisation", "text_language"])
    pk_of = stored_prompts(study.genre, set(prompts))
    prompt_pks = np.array([pk_of[one] for one in prompts])
    names = list(records.methods)
    # Methods are those of the whole site: another name must never come to the key of this one.
    keys = [method_key(name) for name in names]
    Method.objects.bulk_create(
        [
            Method(key=key, label=str(LABELS.get(key, name))[:LONGEST_LABEL])
            for key, name in zip(keys, names, strict=True)
        ],
        ignore_conflicts=True,
    )
    stored = Method.objects.in_bulk(keys, field_name="key")
    runs = GenerationRun.objects.bulk_create(
        GenerationRun(
            method=stored[key],
            state=GenerationRun.State.DONE,
            source={"import": study.slug, "ratings_sha256": digest},
        )
        for key in keys
    )
    study_methods = StudyMethod.objects.bulk_create(
        StudyMethod(study=study, method=stored[key], number=number) for number, key in enumerate(keys)
    )
    pages = np.array(lay_out(study, prompt_pks.tolist()))
    of_prompt, of_method = np.divmod(texts, len(names))
    candidates = new_keys("generation_candidate", len(texts))
    copy_rows(
        "generation_candidate (id, run_id, prompt_id, text, notes)",
        len(texts),
        candidates,
        np.array([run.pk for run in runs])[of_method],
        prompt_pks[of_prompt],
        (
            records.texts.get(at, NO_TEXT).translate(ESCAPES)
            for at in zip(of_prompt.tolist(), of_method.tolist(), strict=True)
        ),
        repeat("{}"),
    )
    copy_rows(
        "annotations_pagecandidate (page_id, candidate_id, study_method_id)",
        len(texts),
        pages[of_prompt],
        candidates,
        np.array([one.pk for one in study_methods])[of_method],
    )
    return candidates, pages


def _prompt(records: RatingRecords, name: str, number: int) -> PromptContent:
    domain = records.domains.get(number, "")[:LONGEST_TAG]
    return PromptContent(
        records.prompt_texts.get(number) or name,
        external_id=name if len(name) <= LONGEST_ID and number in records.prompt_texts else "",
        tags=(("domain", domain),) if domain else (),
    )


def _store_evaluators(study: Study, records: RatingRecords, names: Sequence[str]) -> Ints:
    """Enrol the evaluators as users who cannot log in; return the keys of their enrolments."""
    groups = {
        name: EvaluatorGroup(study=study, key=key, name=named_by(name[:80]))
        for name, key in zip(
            dict.fromkeys(records.groups.values()),
            slugs(list(dict.fromkeys(records.groups.values())), "group", 40),
            strict=True,
        )
    }
    EvaluatorGroup.objects.bulk_create(groups.values())
    # No name that somebody chooses for an account can hold a slash.
    users = User.objects.bulk_create(
        [
            User(username=f"{study.slug}/{number}", password=make_password(None), is_active=False)
            for number in range(1, len(names) + 1)
        ],
        batch_size=BATCH,
    )
    enrolments = Enrolment.objects.bulk_create(
        [
            Enrolment(
                study=study,
                evaluator=user,
                number=number,
                pseudonym=name,
                source=Enrolment.Source.IMPORTED,
                deadline=Now(),
                group=groups[records.groups[number]] if number in records.groups else None,
            )
            for number, (name, user) in enumerate(zip(names, users, strict=True))
        ],
        batch_size=BATCH,
    )
    return np.array([one.pk for one in enrolments])


def _assign(study: Study, enrolments: Ints, pages: Ints, evaluator: Ints, prompt: Ints) -> None:
    """Assign to each evaluator the sub-tasks of which they rated a page."""
    subtask_of = dict(Page.objects.filter(subtask__study=study).values_list("pk", "subtask_id"))
    subtasks = np.array([subtask_of[page] for page in pages.tolist()])
    numbers, subtask = np.unique(subtasks, return_inverse=True)
    rated, of_rated = np.divmod(np.unique(evaluator * len(numbers) + subtask[prompt]), len(numbers))
    copy_rows(
        "annotations_assignment (enrolment_id, subtask_id)", len(rated), enrolments[rated], numbers[of_rated]
    )


def _positions(records: RatingRecords, placed: Ints, first_place: Ints, ratings: int) -> tuple[Ints, bool]:
    """Return the place of every text on its page, and whether that is how it was shown: else it is their order."""
    page = placed // len(records.methods)
    given = np.r_[np.frombuffer(records.positions, dtype=np.int32), np.full(len(records.picks), -1)]
    position = given[first_place].astype(np.int64)
    if position.size and position.min() >= 0 and ratings:
        position -= position.min()
        pairs = np.unique(np.c_[page, position], axis=0)
        if len(pairs) == len(placed) and position.max() < len(records.methods):
            return position, True
    # `placed` is sorted by page: count from the beginning of each.
    starts = np.flatnonzero(np.r_[True, page[1:] != page[:-1]])
    counts = np.diff(np.r_[starts, len(page)])
    return np.arange(len(page)) - np.repeat(starts, counts), False


def _times(records: RatingRecords, chosen: Ints) -> Iterable[str]:
    """Yield when the chosen ratings were given; now where that is not known."""
    now = datetime.now(UTC).isoformat()
    times = np.frombuffer(records.times)[chosen]
    if np.isnan(times).all():
        return repeat(now)
    return (
        now if math.isnan(time) else datetime.fromtimestamp(time, UTC).isoformat() for time in times.tolist()
    )


def tokens(count: int) -> list[str]:
    """Return so many secrets of 132 bits each in order, so that their index grows at its end."""
    letters = base64.urlsafe_b64encode(os.urandom(18 * count)).decode()
    return sorted(letters[start : start + 22] for start in range(0, 24 * count, 24))


def _store_repeats(
    first: Ints, key: Ints, enrolments: Ints, candidates: Ints, criteria: Ints, scores: np.ndarray
) -> None:
    """Store every score after the first of its evaluator, text and criterion, with its number from 2."""
    if len(first) == len(key):
        return
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.r_[True, key[order][1:] != key[order][:-1]])
    counts = np.diff(np.r_[starts, len(key)])
    number = np.empty(len(key), dtype=np.int64)
    number[order] = np.arange(len(key)) - np.repeat(starts, counts) + 1
    again = np.flatnonzero(number > 1)
    copy_rows(
        "annotations_repeatedrating (enrolment_id, candidate_id, criterion_id, number, score)",
        len(again),
        enrolments[again],
        candidates[again],
        criteria[again],
        number[again],
        scores[again],
    )


def new_keys(table: str, count: int) -> Ints:
    """Return so many primary keys of a table that nothing else will take."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count]
        )
        return np.array([pk for (pk,) in cursor.fetchall()], dtype=np.int64)


def copy_rows(target: str, count: int, *columns: Ints | Iterable[object]) -> None:
    """Copy rows into a table; a column is an array of all rows, or yields one value a row."""
    with connection.cursor() as cursor:
        if count:
            cursor.copy_expert(f"COPY {target} FROM STDIN", _Lines(count, columns))
        # Without a count of the new rows PostgreSQL looks the keys that refer to them up by the wrong index.
        cursor.execute(f"ANALYZE {target.split()[0]}")


class _Lines(io.TextIOBase):
    """The rows of a COPY, made while it runs: the database stores some while the next are written out."""

    def __init__(self, count: int, columns: Sequence[Ints | Iterable[object]]) -> None:
        self.count, self.written = count, 0
        self.columns = [one if isinstance(one, np.ndarray) else iter(one) for one in columns]

    def read(self, size: int | None = -1, /) -> str:
        """Return the next rows, whole, however many characters they take."""
        begin, end = self.written, min(self.written + ROWS_AT_ONCE, self.count)
        self.written = end
        parts = (
            map(str, one[begin:end].tolist() if isinstance(one, np.ndarray) else islice(one, end - begin))
            for one in self.columns
        )
        return "".join(map("%s\n".__mod__, map("\t".join, zip(*parts, strict=True))))
