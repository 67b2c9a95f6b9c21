"""Ratings that were collected elsewhere: looked at, stored as a closed study, and taken back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from annotations.access.log import log_act
from annotations.imports.rating_columns import NAMES, Reading, guessed, plain
from annotations.imports.rating_texts import Text, read_texts
from annotations.imports.rating_tools import RatingFile, open_ratings
from annotations.models import RatingImport, Study, StudyRole
from annotations.models.bounds import check_texts
from annotations.models.texts_by_language import TextsByLanguage, named_by
from generation.files.candidates import method_key
from generation.files.encoding import read_as_said
from generation.files.problems import FileRefused, Problems, listed, shown
from generation.files.tables import read_table
from generation.genres import GENRES
from generation.models import GenerationRun, Method, Prompt
from generation.refusals import Refused
from generation.texts.characters import UNSTORABLE

if TYPE_CHECKING:
    from annotations.imports.rating_records import RatingRecords
    from annotations.imports.rating_summary import Summary

MOST_FILES = 1_000
HIDDEN_NAMES = "E%03d"


@dataclass(frozen=True)
class NamedFile:
    """A file where it lies, and what its owner calls it."""

    path: Path
    name: str

    def digest(self) -> str:
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class FoundRatings:
    """What files of ratings hold by a reading: nothing of it is stored."""

    files: tuple[NamedFile, ...]
    tool: str
    columns: tuple[str, ...]
    first_rows: list[dict[str, object]]
    reading: Reading
    records: RatingRecords
    summary: Summary
    # Those of the files, and of all that was read as it was read.
    digests: tuple[str, ...]
    digest: str


@dataclass(frozen=True)
class RatingsReceipt:
    """The study of imported ratings, and whether it was made now."""

    study: Study
    is_new: bool
    summary: Mapping[str, object]


def find_ratings(
    files: Sequence[NamedFile], reading: Reading, *, texts: NamedFile | None = None
) -> FoundRatings:
    """Read files of ratings, of one shape, and return what they hold; what `reading` leaves open is guessed.

    `texts` is a table with the columns id, prompt, method and, if known, text, for files that name texts by an id.
    Raises `FileRefused` with everything wrong by its place, or `Refused`.
    """
    # Loaded where they are used: numpy takes longer to load than all the rest of a web process.
    from annotations.imports.rating_records import read_ratings
    from annotations.imports.rating_summary import summary

    opened, resolved, known = open_all(files, reading, texts=texts)
    records = read_ratings(opened, resolved, known)
    _refuse_unstorable(records, files[0].name)
    if resolved.hides_names or any("@" in name for name in records.evaluators):
        resolved = replace(resolved, hides_names=True)
    digests = tuple(one.digest() for one in (*files, *([texts] if texts else ())))
    said = json.dumps(resolved.as_dict(), sort_keys=True)
    return FoundRatings(
        files=tuple(files),
        tool=opened[0].tool,
        columns=opened[0].columns,
        first_rows=opened[0].first_rows()[:5],
        reading=resolved,
        records=records,
        summary=summary(records, resolved),
        digests=digests[: len(files)],
        digest=hashlib.sha256("\n".join((*digests, said)).encode()).hexdigest(),
    )


def open_all(
    files: Sequence[NamedFile], reading: Reading, *, texts: NamedFile | None = None
) -> tuple[list[RatingFile], Reading, dict[str, Text]]:
    """Open files, guess what their columns are, and read the table of texts; raise `Refused`."""
    if not 1 <= len(files) <= MOST_FILES:
        raise Refused(_("Give 1 to %(most)d files of ratings.") % {"most": MOST_FILES})
    opened = [
        read_as_said(partial(open_ratings, file.path, file.name, sheet=reading.sheet), reading.encoding)
        for file in files
    ]
    if any(file.problems for file in opened):
        raise FileRefused(*(file.problems for file in opened))
    known = {}
    if texts is not None:
        table = read_as_said(partial(read_table, texts.path, texts.name), reading.encoding)
        known = read_texts(row.fields for row in table)
    columns = tuple(dict.fromkeys(column for file in opened for column in file.columns))
    first_rows = opened[0].first_rows()
    if opened[0].tool in ("Google Forms", "Qualtrics") and not _says_a_text(columns, reading):
        reading = _with_questions(reading, columns, known)
    return opened, guessed(reading, columns, first_rows), known


def _says_a_text(columns: Sequence[str], reading: Reading) -> bool:
    """Whether rows of a form say themselves which method's text they rate."""
    return "method" in reading.columns or any(plain(column) in NAMES["method"] for column in columns)


FORM_FACTS = (
    "timestamp", "时间戳记", "时间戳", "email address", "username", "name", "responseid", "startdate", "enddate",
    "status",
    "ipaddress", "progress", "duration (in seconds)", "finished", "recordeddate", "recipientlastname",
    "recipientfirstname", "recipientemail", "externalreference", "locationlatitude", "locationlongitude",
    "distributionchannel", "userlanguage", "start date", "end date", "response type", "ip address", "recorded date",
    "recipient last name", "recipient first name", "recipient email", "external data reference", "location latitude",
    "location longitude", "distribution channel", "user language", "q_recaptchascore", "prolific_pid", "score",
)  # fmt: skip


def _with_questions(reading: Reading, columns: Sequence[str], known: Mapping[str, Text]) -> Reading:
    if reading.columns.get("questions") or reading.columns.get("score"):
        return reading
    named = {name for names in reading.columns.values() for name in names}
    questions = tuple(
        column
        for column in columns
        if column not in named and column.strip().lower() not in FORM_FACTS and (not known or column in known)
    )
    return replace(reading, columns={**reading.columns, "questions": questions})


@transaction.atomic
def import_ratings(
    found: FoundRatings,
    *,
    slug: str,
    title: Mapping[str, str] | None = None,
    genre: str = "text",
    by: User | None = None,
) -> RatingsReceipt:
    """Store ratings as a closed study that is marked as collected elsewhere; the same again changes nothing.

    `by` becomes its owner, nobody from the command line. Raises `Refused` where another study has the slug, or
    ValidationError for a slug or a title that no study can have; then nothing is stored.
    """
    from annotations.imports.rating_rows import store_rows  # with numpy

    study = checked_study(found, slug=slug, title=title, genre=genre)
    if before := _imported_before(slug, found):
        return before
    try:
        with transaction.atomic():
            study.save(force_insert=True)
    except IntegrityError as error:
        if before := _imported_before(slug, found):
            return before
        raise Refused(_("There is a study of this name already; take another one.")) from error
    names = list(found.records.evaluators)
    if found.reading.hides_names:
        names = [HIDDEN_NAMES % number for number in range(1, len(names) + 1)]
    RatingImport.objects.create(
        study=study,
        kind=found.reading.kind,
        files=[
            {"name": one.name, "sha256": sha256}
            for one, sha256 in zip(found.files, found.digests, strict=True)
        ],
        reading=found.reading.as_dict(),
        summary=found.summary.as_dict(),
        digest=found.digest,
        names_evaluators=found.summary.names_evaluators,
        has_positions=store_rows(study, found.records, found.summary, evaluators=names, digest=found.digest),
        everybody_counts=not found.reading.threshold,
        imported_by=by,
    )
    if by is not None:
        StudyRole.objects.create(study=study, user=by, role=StudyRole.Role.OWNER)
    log_act(study, by, "ratings.imported", sha256=found.digest)
    return RatingsReceipt(study, is_new=True, summary=found.summary.as_dict())


def checked_study(
    found: FoundRatings, *, slug: str, title: Mapping[str, str] | None = None, genre: str = "text"
) -> Study:
    """Return the study that ratings would be stored as; raise what `import_ratings` does where they cannot be."""
    if genre not in GENRES:
        raise Refused(_("The genre must be one of %(genres)s.") % {"genres": listed(GENRES)})
    study = Study(
        slug=slug,
        title=TextsByLanguage(title or {}) or named_by(slug),
        genre=genre,
        state=Study.State.CLOSED,
        has_best_picks=bool(found.records.picks),
        allows_missing_texts=bool(found.summary.methods_lacking_prompts),
    )
    if found.reading.threshold:
        study.inconsistency_threshold = found.reading.threshold
    check_texts(study)
    study.full_clean(validate_unique=False, validate_constraints=False)
    if not _imported_before(slug, found):
        _refuse_methods(found.summary)
    return study


def _imported_before(slug: str, found: FoundRatings) -> RatingsReceipt | None:
    """Return the study of this slug where the same ratings made it; raise `Refused` for another one."""
    study = Study.objects.filter(slug__iexact=slug).select_related("rating_import").first()
    if study is None:
        return None
    stored: RatingImport | None = getattr(study, "rating_import", None)
    if study.slug != slug or stored is None or stored.digest != found.digest:
        raise Refused(
            _("There is a study %(slug)s already, made of something else; take another name.")
            % {"slug": study.slug}
        )
    return RatingsReceipt(study, is_new=False, summary=stored.summary)


def _refuse_methods(found: Summary) -> None:
    if len(found.methods) < 2:
        raise Refused(
            _("All ratings are of one method, %(method)s: there is nothing to compare.")
            % {"method": found.methods[0]}
        )
    names: dict[str, str] = {}
    for name in found.methods:
        if (other := names.setdefault(method_key(name), name)) != name:
            raise Refused(
                _("%(one)s and %(other)s are names of one method: call it by one of them.")
                % {"one": shown(other), "other": shown(name)}
            )


def _refuse_unstorable(records: RatingRecords, name: str) -> None:
    problems = Problems(name)
    of = {
        "evaluator": records.evaluators, "prompt": records.prompts, "method": records.methods,
        "criterion": records.criteria, "text": records.texts.values(), "prompt_text": records.prompt_texts.values(),
        "group": records.groups.values(), "domain": records.domains.values(),
    }  # fmt: skip
    for role, values in of.items():
        for value in values:
            if UNSTORABLE.search(value):
                problems.add(0, role, _("holds a character that is none"))
                break
    if problems:
        raise FileRefused(problems)


@transaction.atomic
def take_back_ratings(study: Study) -> int:
    """Delete a study of imported ratings with all that came with it and is used nowhere else; return its ratings.

    Raises `Refused` for a study that was not imported in this way.
    """
    study = Study.objects.locked(study)
    if not RatingImport.objects.filter(study=study).exists():
        raise Refused(_("The ratings of this study were not imported, so they cannot be taken back."))
    runs = list(
        GenerationRun.objects.filter(candidates__pagecandidate__page__subtask__study=study)
        .distinct()
        .values_list("pk", "method")
    )
    prompts = list(study.subtasks.values_list("pages__prompt", flat=True))
    evaluators = list(study.enrolments.values_list("evaluator", flat=True))
    ratings = 0
    with connection.cursor() as cursor:
        # A million rows by statements of their own: Django would load every one before it deletes it.
        for table in ("span", "marking", "repeatedrating", "rating", "bestchoice", "placement", "assignment"):
            cursor.execute(
                f"DELETE FROM annotations_{table} USING annotations_enrolment one"  # noqa: S608
                f" WHERE annotations_{table}.enrolment_id = one.id AND one.study_id = %s",
                [study.pk],
            )
            if table == "rating":
                ratings = int(cursor.rowcount)
        cursor.execute(
            "DELETE FROM annotations_pagecandidate USING annotations_page page, annotations_subtask subtask"
            " WHERE annotations_pagecandidate.page_id = page.id AND page.subtask_id = subtask.id"
            " AND subtask.study_id = %s",
            [study.pk],
        )
        keys = [pk for pk, _method in runs]
        cursor.execute("DELETE FROM generation_candidate WHERE run_id = ANY(%s)", [keys])
    study.delete()
    GenerationRun.objects.filter(pk__in=keys).delete()
    Prompt.objects.filter(pk__in=prompts, candidates=None, page=None).delete()
    Method.objects.filter(pk__in={method for _pk, method in runs}, runs=None, studymethod=None).delete()
    # Accounts that nobody can log in to, made for these ratings alone.
    User.objects.filter(pk__in=evaluators, is_active=False, enrolments=None).delete()
    return ratings
