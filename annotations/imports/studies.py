"""Making a study out of files: candidates with a rubric, or the records of a study that was published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from annotations.imports.published_records import METHODS, Records
from annotations.models import (
    Assignment,
    BestChoice,
    Criterion,
    Enrolment,
    Page,
    PageCandidate,
    Placement,
    Rating,
    Study,
)
from annotations.models.bounds import check_texts
from annotations.models.texts_by_language import TextsByLanguage, named_by
from annotations.setup.material import imported_texts
from annotations.setup.pages import place_candidates
from annotations.setup.rubrics import Rubric, RubricCriterion
from generation.files.candidates import CandidateFile
from generation.models import GenerationRun
from generation.prompts import PromptContent
from generation.refusals import Refused
from generation.runs.runs import ImportedText, record_import
from generation.texts.languages import guessed_language
from generation.texts.normalising import NORMALISER_VERSION, default_rule

BATCH = 2000


def import_study(
    file: CandidateFile,
    *,
    slug: str,
    rubric: Rubric,
    title: Mapping[str, str] | None = None,
    instructions: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
) -> tuple[Study, bool]:
    """Return the study made of these candidates, and whether it was made now; an import done before is left alone.

    Without a title the study has its slug as one, and without instructions those of the rubric. Raises `Refused`,
    or ValidationError for a slug or a title that no study can have.
    """
    study = Study(
        slug=slug,
        title=TextsByLanguage(title or {}) or named_by(slug),
        instructions=rubric.instructions.changed_by(TextsByLanguage(instructions or {})),
    )
    texts = imported_texts(file)
    source = {"import": file.name, "sha256": file.sha256}
    return create_once(
        study, rubric.genre, rubric.criteria, texts, source=source, labels={**file.labels, **(labels or {})}
    )


@dataclass(frozen=True)
class RecordsReceipt:
    """What an import of records has stored, or had stored before (`is_new` false)."""

    study: Study
    is_new: bool
    ratings: int
    off_scale: int
    best_choices: int


@transaction.atomic
def import_records(records: Records, *, slug: str, title: Mapping[str, str] | None = None) -> RecordsReceipt:
    """Store a published study, closed, with all its evaluators and their answers as they are; see `import_study`.

    Ratings that their scale does not have are kept and flagged. The evaluators become users who cannot log in.
    """
    study = Study(
        slug=slug,
        title=TextsByLanguage(title or {}) or named_by(slug),
        state=Study.State.CLOSED,
        has_best_picks=any(pick is not None for one in records.evaluators for pick in one.picks),
    )
    texts = [
        ImportedText(PromptContent(page.prompt, page.description), method, page.texts[method])
        for page in records.pages
        for method in METHODS[records.genre].values()
    ]
    study, is_new = create_once(
        study, records.genre, records.criteria, texts, source=records.source, rule="verse"
    )
    if is_new:
        _create_answers(study, records)
    ratings = Rating.objects.filter(enrolment__study=study)
    return RecordsReceipt(
        study=study,
        is_new=is_new,
        ratings=ratings.count(),
        off_scale=ratings.filter(off_scale=True).count(),
        best_choices=BestChoice.objects.filter(enrolment__study=study).count(),
    )


def create_once(
    study: Study,
    genre: str,
    criteria: Sequence[RubricCriterion],
    texts: Sequence[ImportedText],
    *,
    source: Mapping[str, Any],
    labels: Mapping[str, str] | None = None,
    rule: str = "",
) -> tuple[Study, bool]:
    """Save a study with its criteria, methods and pages unless the same was imported before; see `import_study`.

    Pages are in the order of the prompts' first texts, methods in the order of theirs. `rule` says how the texts are
    shown (`generation.texts.normalising`); without one it is that of the genre.
    """
    check_texts(study)
    study.full_clean(validate_unique=False)
    if existing := _imported_before(study.slug, criteria, source):
        return existing, False
    try:
        with transaction.atomic():
            study.genre, study.normalisation = genre, rule or default_rule(genre)
            study.text_language = guessed_language([text.text for text in texts])
            study.save(force_insert=True)
            Criterion.objects.bulk_create(
                Criterion(study=study, number=number, **asdict(criterion))
                for number, criterion in enumerate(criteria)
            )
            candidates = record_import(
                genre, texts, source={**source, "normaliser": NORMALISER_VERSION}, labels=labels
            )
            place_candidates(study, texts, candidates)
            return study, True
    except IntegrityError:
        # Another import may have taken the slug since it was looked up.
        if existing := _imported_before(study.slug, criteria, source):
            return existing, False
        raise


def _imported_before(
    slug: str, criteria: Sequence[RubricCriterion], source: Mapping[str, Any]
) -> Study | None:
    """Return the study that was made of the same files by the same criteria; raise `Refused` for another one."""
    study = Study.objects.filter(slug=slug).first()
    if study is None:
        if other := Study.objects.filter(slug__iexact=slug).first():
            raise Refused(f"there is a study {other.slug} already, and case does not tell slugs apart")
        return None
    runs = GenerationRun.objects.filter(
        candidates__pagecandidate__page__subtask__study=study, study_run__isnull=True
    ).distinct()
    if {_digests(run.source) for run in runs} != {_digests(source)}:
        raise Refused(f"there is a study {slug} already, made of something else; take another slug")
    scales = [(one.key, one.minimum, one.maximum, one.is_overall) for one in criteria]
    if list(study.criteria.values_list("key", "minimum", "maximum", "is_overall")) != scales:
        raise Refused(f"study {slug} has these candidates already, but other criteria; take another slug")
    return study


def _digests(source: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return what tells an import from another: not the names of its files, but what is in them."""
    return source.get("sha256"), source.get("answers_sha256")


@dataclass(frozen=True)
class _PageAnswers:
    """One evaluator's recorded answers to one page, whose candidates stand in the order of display."""

    enrolment: Enrolment
    page: Page
    candidates: list[int]
    ratings: list[list[int | None]]
    pick: int | None


def _create_answers(study: Study, records: Records) -> None:
    """Save the evaluators, the order in which they saw the candidates, their ratings and picks."""
    criteria = list(study.criteria.all())
    answered = list(_pages_answered(study, records))
    Placement.objects.bulk_create(
        (
            Placement(
                enrolment_id=one.enrolment.pk,
                page_id=one.page.pk,
                candidate_id=candidate_id,
                position=position,
            )
            for one in answered
            for position, candidate_id in enumerate(one.candidates)
        ),
        batch_size=BATCH,
    )
    Rating.objects.bulk_create(
        (
            Rating(
                enrolment_id=one.enrolment.pk,
                candidate_id=candidate_id,
                criterion_id=criterion.pk,
                score=score,
                off_scale=score not in criterion.points,
            )
            for one in answered
            for candidate_id, scores in zip(one.candidates, one.ratings, strict=True)
            for criterion, score in zip(criteria, scores, strict=True)
            if score is not None
        ),
        batch_size=BATCH,
    )
    BestChoice.objects.bulk_create(
        (
            BestChoice(
                enrolment_id=one.enrolment.pk,
                page_id=one.page.pk,
                candidate_id=one.candidates[one.pick],
            )
            for one in answered
            if one.pick is not None
        ),
        batch_size=BATCH,
    )


def _pages_answered(study: Study, records: Records) -> Iterator[_PageAnswers]:
    enrolments = _create_enrolments(study, [evaluator.username for evaluator in records.evaluators])
    pages = list(Page.objects.filter(subtask__study=study).order_by("subtask__number", "number"))
    shown = PageCandidate.objects.filter(page__subtask__study=study)
    candidate_by = {
        (page_id, method): candidate_id
        for page_id, method, candidate_id in shown.values_list(
            "page_id", "study_method__method__key", "candidate_id"
        )
    }
    displayed = [
        [candidate_by[page.pk, method] for method in recorded.texts]
        for page, recorded in zip(pages, records.pages, strict=True)
    ]
    for enrolment, evaluator in zip(enrolments, records.evaluators, strict=True):
        for page, candidates, ratings, pick in zip(
            pages, displayed, evaluator.ratings, evaluator.picks, strict=True
        ):
            yield _PageAnswers(enrolment, page, candidates, ratings, pick)


def _create_enrolments(study: Study, usernames: Sequence[str]) -> list[Enrolment]:
    """Enrol recorded evaluators in all sub-tasks, as users who cannot log in."""
    # No name that somebody chooses for an account can hold a slash.
    accounts = {username: f"{study.slug}/{username}" for username in usernames}
    User.objects.bulk_create(
        [
            User(username=account, password=make_password(None), is_active=False)
            for account in accounts.values()
        ],
        ignore_conflicts=True,
    )
    users = User.objects.in_bulk(list(accounts.values()), field_name="username")
    enrolments = Enrolment.objects.bulk_create(
        Enrolment(
            study=study,
            evaluator=users[account],
            number=number,
            pseudonym=username,
            source=Enrolment.Source.IMPORTED,
            deadline=Now(),
        )
        for number, (username, account) in enumerate(accounts.items())
    )
    Assignment.objects.bulk_create(
        Assignment(enrolment=enrolment, subtask=subtask)
        for subtask in study.subtasks.all()
        for enrolment in enrolments
    )
    return enrolments
