"""The material of a draft: storing prompts and candidates, and looking at them before anybody rates them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.contrib.auth.models import User
from django.contrib.postgres.aggregates import ArrayAgg
from django.db import transaction
from django.db.models import Aggregate, Count, FloatField, Max, Min, OuterRef, Q, Value
from django.db.models.functions import MD5, Length
from django.utils.translation import gettext as _

from annotations.access.fixed import refuse_if_fixed
from annotations.access.log import log_act
from annotations.models import (
    Page,
    PageCandidate,
    Study,
    StudyMethod,
    method_label,
)
from annotations.models.numbers import count_of
from annotations.setup.checklist_items.storing import store_prompt_items
from annotations.setup.material.maker_names import MakerNamed, texts_naming_their_maker
from annotations.setup.pages import clear, lay_out, place_candidates
from generation.files.candidates import CandidateFile
from generation.files.prompts import PromptFile
from generation.models import GenerationRun, method_name, prompt_heading
from generation.refusals import Refused
from generation.runs.runs import ImportedText, record_import, stored_prompts
from generation.texts.languages import GUESSED, guessed_language
from generation.texts.normalising import NORMALISER_VERSION
from generation.texts.typography import Trait, first_change, uneven_traits

# Of everything that is odd the first ones are shown, with how many there are.
SHOWN_AT_MOST = 20
# The page of the material is read in a second: of a large study its first texts tell enough.
TEXTS_LOOKED_AT = 1_000
CHANGES_SHOWN = 5
OPEN_RUNS = (GenerationRun.State.QUEUED, GenerationRun.State.RUNNING)


@transaction.atomic
def store_material(study: Study, file: CandidateFile | PromptFile, *, by: User | None) -> Study:
    """Make the prompts, and candidates, of a file the material of a draft, in place of what it had.

    Returns the study, which has to be signed off again. Runs for the earlier prompts no longer belong to it; their
    texts stay.
    Raises Refused where it is too late, a run is under way, or the texts are of another genre than the criteria.
    The study's row is locked, because a run that ends meanwhile adds its texts.
    """
    locked = Study.objects.locked(study)
    refuse_other_material(locked, file)
    labels = {key: label for key, label in locked.study_methods.values_list("method__key", "label") if label}
    clear(locked)
    locked.study_runs.all().delete()
    methods = (
        _store_candidates(locked, file) if isinstance(file, CandidateFile) else _store_prompts(locked, file)
    )
    keep_labels(locked, labels)
    locked.signed_off_at = None
    locked.save(update_fields=["text_language", "signed_off_at"])
    study.text_language, study.signed_off_at = locked.text_language, None
    log_act(
        study, by, "study.material",
        file=file.name, sha256=file.sha256, prompts=len(file.prompts), methods=methods,
    )  # fmt: skip
    return study


def refuse_other_material(study: Study, file: CandidateFile | PromptFile) -> None:
    """Raise Refused where a study cannot take the texts or prompts of a file now."""
    refuse_if_fixed(study)
    if file.genre != study.genre:
        raise Refused(_("These texts are of another kind than the criteria ask about."))
    if study.study_runs.filter(run__state__in=OPEN_RUNS).exists():
        raise Refused(_("A run for the prompts of this study is under way; cancel it first."))


def keep_labels(study: Study, labels: Mapping[str, str]) -> None:
    """Give methods, by their keys, the labels that they had before other material came, but for those taken since."""
    methods = list(study.study_methods.select_related("method").filter(method__key__in=labels))
    taken = set(study.study_methods.exclude(method__key__in=labels).values_list("method__label", flat=True))
    for one in methods:
        if labels[one.method.key] not in taken:
            one.label = labels[one.method.key]
    StudyMethod.objects.bulk_update(methods, ["label"])


def _store_candidates(study: Study, file: CandidateFile) -> int:
    texts = imported_texts(file)
    source = {"import": file.name, "sha256": file.sha256, "normaliser": NORMALISER_VERSION}
    guess_language(study, [text.text for text in texts])
    candidates = record_import(file.genre, texts, source=source, labels=file.labels)
    place_candidates(study, texts, candidates)
    prompt_of = {row.prompt: one.prompt_id for row, one in zip(file.rows, candidates, strict=True)}
    store_prompt_items(study, {prompt_of[prompt]: items for prompt, items in file.checklists.items()})
    return len(file.methods)


def _store_prompts(study: Study, file: PromptFile) -> int:
    stored = stored_prompts(file.genre, set(file.prompts))
    guess_language(study, [prompt.heading for prompt in file.prompts])
    lay_out(study, [stored[prompt] for prompt in file.prompts], file.notes or None)
    store_prompt_items(study, {stored[prompt]: items for prompt, items in file.checklists.items()})
    return 0


def guess_language(study: Study, texts: Sequence[str]) -> None:
    """Set the language of a study by its texts, unless it has one that cannot be guessed and so was chosen."""
    if study.text_language in GUESSED:
        study.text_language = guessed_language(texts)


class Median(Aggregate):
    """The median, between the two middle ones where their number is even."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


@dataclass(frozen=True)
class MethodCheck:
    """One method's texts: how many there are and are missing, and their lengths in characters."""

    key: str
    # What it is called elsewhere, and in this study.
    own_name: str
    label: str
    texts: int
    missing: int
    shortest: int | None
    median: float | None
    longest: int | None


@dataclass(frozen=True)
class MissingTexts:
    """A prompt with fewer texts than the study has methods."""

    prompt: str
    subtask: int
    page: int
    missing: int
    # What the methods are called whose texts are missing.
    methods: tuple[str, ...]


@dataclass(frozen=True)
class SameText:
    """A text that stands more than once in the study."""

    text: str
    times: int


@dataclass(frozen=True)
class MaterialChecks:
    """What there is to see in the material of a study before it is signed off."""

    prompts: int
    subtasks: int
    # Pages of the smallest sub-task.
    smallest_subtask: int
    language: str
    methods: tuple[MethodCheck, ...]
    # Missing texts over all prompts, and the first prompts that lack any.
    missing: int
    missing_at: tuple[MissingTexts, ...]
    # How many texts stand more than once, and the first of them.
    same: int
    same_texts: tuple[SameText, ...]
    # How many texts seem to say who wrote them, and the first of them. They keep nothing from being signed off.
    naming_maker: int
    makers_named: tuple[MakerNamed, ...]

    @property
    def texts(self) -> int:
        return sum(method.texts for method in self.methods)

    @property
    def is_complete(self) -> bool:
        """Whether every prompt has a text by every method, and there are any."""
        return bool(self.prompts and self.methods) and not self.missing


def material_checks(study: Study) -> MaterialChecks:
    """Return what there is to see in the material of a study, with five queries however large it is."""
    sizes = list(
        study.subtasks.annotate(size=Count("pages", filter=~Q(pages__role=Page.Role.REPEAT)))
        .order_by()
        .values_list("size", flat=True)
    )
    prompts = sum(sizes)
    methods = tuple(
        MethodCheck(
            key,
            method_name(key, own),
            method_name(key, label),
            texts,
            prompts - texts,
            shortest,
            median,
            longest,
        )
        for key, own, label, texts, shortest, median, longest in _lengths(study)
    )
    missing = sum(method.missing for method in methods)
    same_texts = _same_texts(study)
    naming_maker, makers_named = texts_naming_their_maker(study)
    return MaterialChecks(
        prompts=prompts,
        subtasks=len(sizes),
        smallest_subtask=min(sizes, default=0),
        language=study.text_language_name,
        methods=methods,
        missing=missing,
        missing_at=_missing_at(study, {method.key: method.label for method in methods}),
        same=same_texts[0],
        same_texts=same_texts[1],
        naming_maker=naming_maker,
        makers_named=makers_named,
    )


def _lengths(study: Study) -> list[tuple[str, str, str, int, int | None, float | None, int | None]]:
    """Return for each method of a study its key, its labels elsewhere and here, and what there is of its texts.

    That is their number, and their least, median and greatest length.
    """
    length = Length("pagecandidate__candidate__text")
    of_material = Q(pagecandidate__page__role__in=set(Page.Role) - {Page.Role.REPEAT})
    found = study.study_methods.annotate(
        texts=Count("pagecandidate", filter=of_material),
        shortest=Min(length, filter=of_material),
        median=Median(length, filter=of_material),
        longest=Max(length, filter=of_material),
    )
    columns = ("method__key", "method__label", method_label(), "texts", "shortest", "median", "longest")
    rows = found.values_list(*columns).order_by("number")
    return cast("list[tuple[str, str, str, int, int | None, float | None, int | None]]", list(rows))


def _missing_at(study: Study, names: Mapping[str, str]) -> tuple[MissingTexts, ...]:
    """Return the first prompts of a study that lack a text; `names` has what its methods are called, by their keys."""
    pages: Any = (
        Page.objects.but_repeats()
        .filter(subtask__study=study)
        .annotate(texts=count_of(PageCandidate.objects.filter(page=OuterRef("pk"))))
    )
    lacking = (
        pages.filter(texts__lt=len(names))
        .annotate(
            there=ArrayAgg(
                "page_candidates__study_method__method__key",
                filter=Q(page_candidates__isnull=False),
                default=Value([]),
            )
        )
        .order_by("subtask__number", "number")
    )
    return tuple(
        MissingTexts(
            prompt,
            subtask,
            page,
            len(names) - len(there),
            tuple(name for key, name in names.items() if key not in there),
        )
        for prompt, subtask, page, there in lacking.values_list(
            prompt_heading("prompt__"), "subtask__number", "number", "there"
        )[:SHOWN_AT_MOST]
    )


def _same_texts(study: Study) -> tuple[int, tuple[SameText, ...]]:
    """Return how many texts stand more than once in a study, and the most frequent of them."""
    shown = PageCandidate.objects.but_repeats(study)
    found = (
        shown.order_by()
        .values(digest=MD5("candidate__text"))
        .annotate(times=Count("pk"), text=Min("candidate__text"))
        .filter(times__gt=1)
        .order_by("-times", "text")
    )
    return len(found), tuple(SameText(one["text"], one["times"]) for one in found[:SHOWN_AT_MOST])


@dataclass(frozen=True)
class TextChange:
    """A text that the study's rule changes: where it does so first, as it was written and as it is shown."""

    prompt: str
    method: str
    before: str
    after: str


@dataclass(frozen=True)
class TypographyChecks:
    """What a study's rule does to its first texts, and in what these differ by method as they are shown."""

    looked_at: int
    changed: int
    changes: tuple[TextChange, ...]
    methods: tuple[str, ...]
    uneven: tuple[Trait, ...]


def typography_checks(study: Study) -> TypographyChecks:
    """Look at the first `TEXTS_LOOKED_AT` texts of a study, with one query."""
    shown = PageCandidate.objects.but_repeats(study).order_by(
        "page__subtask__number", "page__number", "study_method__number"
    )
    rows = shown.values_list(
        prompt_heading("page__prompt__"),
        "study_method__method__key",
        method_label("study_method__"),
        "candidate__text",
    )
    found = [
        (prompt, method_name(key, label), text, study.shown(text))
        for prompt, key, label, text in rows[:TEXTS_LOOKED_AT]
    ]
    changed = [row for row in found if row[2] != row[3]]
    by_method: dict[str, list[str]] = {}
    for _prompt, method, _text, after in found:
        by_method.setdefault(method, []).append(after)
    return TypographyChecks(
        looked_at=len(found),
        changed=len(changed),
        changes=tuple(
            TextChange(prompt, method, *first_change(before, after))
            for prompt, method, before, after in changed[:CHANGES_SHOWN]
        ),
        methods=tuple(by_method),
        uneven=uneven_traits(list(by_method.values())),
    )


def imported_texts(file: CandidateFile) -> list[ImportedText]:
    """Return the candidates of a file in its order."""
    return [
        ImportedText(row.prompt, row.method, row.text, row.provenance, row.notes, row.sample)
        for row in file.rows
    ]
