"""Adding to the material of a draft: texts by further methods for the prompts that it has, and further prompts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from annotations.access.log import log_act
from annotations.models import Page, PageCandidate, PromptDraw, Study, StudyMethod
from annotations.setup.checklist_items.storing import store_prompt_items
from annotations.setup.material import SHOWN_AT_MOST, guess_language, refuse_other_material
from annotations.setup.pages import lay_out
from annotations.setup.study import refuse_taken_name
from generation.files.candidates import MOST_METHODS, CandidateFile, Row
from generation.files.problems import Problems, shown
from generation.files.prompt_fields import differing_fields
from generation.files.prompts import PromptFile
from generation.models import Method, method_name
from generation.models.copying import copy_rows
from generation.prompts import PromptContent
from generation.refusals import Refused
from generation.runs.runs import ImportedText, record_import, stored_prompts
from generation.texts.normalising import NORMALISER_VERSION


@dataclass(frozen=True)
class Lacking:
    """A prompt that would lack texts, and the names of the methods by which."""

    prompt: str
    methods: tuple[str, ...]


@dataclass(frozen=True)
class Addition:
    """What a file adds to a study, and what would be missing then."""

    texts: int
    # Names of the methods that the study does not have yet.
    new_methods: tuple[str, ...]
    new_prompts: int
    # Prompts of the file that the study has already.
    known_prompts: int
    # Over all pages; then the first prompts that lack any.
    missing: int
    missing_at: tuple[Lacking, ...]


@dataclass
class _Place:
    """A page that the study has (`page`), or will have, with the methods whose texts are on it."""

    content: PromptContent
    page: int | None
    methods: set[str]


class _Prompts:
    """The prompts of a study, found by what a file says of them: what it leaves out makes no other prompt."""

    def __init__(self, study: Study) -> None:
        self.places: list[_Place] = []
        self.by_prompt: dict[PromptContent, list[_Place]] = {}
        self.by_id: dict[str, PromptContent] = {}
        self.by_text: dict[str, list[PromptContent]] = {}
        on_page: dict[int, set[str]] = {}
        shown_there = PageCandidate.objects.filter(page__subtask__study=study)
        for page, key in shown_there.values_list("page_id", "study_method__method__key"):
            on_page.setdefault(page, set()).add(key)
        pages = Page.objects.filter(subtask__study=study).select_related("prompt")
        for one in pages.order_by("subtask__number", "number"):
            content = one.prompt.content
            if content not in self.by_prompt:
                self.by_prompt[content] = []
                self.by_text.setdefault(content.text, []).append(content)
                if content.external_id:
                    self.by_id[content.external_id] = content
            self.add(_Place(content, one.pk, on_page.get(one.pk, set())))

    def add(self, place: _Place) -> None:
        self.places.append(place)
        self.by_prompt.setdefault(place.content, []).append(place)

    def find(self, prompt: PromptContent, problems: Problems, place: Any) -> PromptContent | None:
        """Return the study's prompt that a file means, or None for a new one; note what does not fit."""
        if known := self.by_id.get(prompt.external_id) if prompt.external_id else None:
            for name in differing_fields(_completed(prompt, known), known):
                problems.add(place, name, _("differs from that of the same prompt in the study"))
            return known
        alike = [
            one
            for one in self.by_text.get(prompt.text, [])
            if not (one.external_id and prompt.external_id)
            and not differing_fields(_completed(prompt, one), one)
        ]
        if len(alike) > 1:
            problems.add(
                place, "prompt", _("%(prompt)s may be any of several prompts of the study: give its id"),
                prompt=shown(prompt.heading),
            )  # fmt: skip
        return alike[0] if alike else None


def _completed(prompt: PromptContent, known: PromptContent) -> PromptContent:
    """Return a prompt with what the known one says where it says nothing itself."""
    return PromptContent(
        prompt.text or known.text,
        prompt.description or known.description,
        prompt.external_id or known.external_id,
        prompt.parts or known.parts,
        prompt.turns or known.turns,
        prompt.tags or known.tags,
    )


@dataclass
class _Plan:
    """Where everything of a file goes."""

    addition: Addition
    # Of each row of candidates its prompt, and the page that it stands on.
    rows: list[tuple[Row, _Place]]
    # Prompts of the pages that the study does not have yet, in order, with what is noted beside each.
    further: list[tuple[_Place, Mapping[str, Any]]]


def planned_addition(study: Study, file: CandidateFile | PromptFile) -> Addition:
    """Return what a file would add to a draft; raise `Refused` with everything that keeps it from being added."""
    refuse_other_material(study, file)
    return _plan(study, file).addition


@transaction.atomic
def add_material(study: Study, file: CandidateFile | PromptFile, *, by: User | None) -> Addition:
    """Add the texts, or prompts, of a file to a draft, which keeps what it has and has to be signed off again.

    Further prompts stand on pages after the others. Raises `Refused` where it is too late, a run is under way, a
    prompt has a text by the method already, or nothing is new. The study's row is locked, because a run that ends
    meanwhile adds its texts.
    """
    locked = Study.objects.locked(study)
    refuse_other_material(locked, file)
    plan = _plan(locked, file)
    if not locked.subtasks.exists():
        guess_language(
            locked, [row.text for row, _place in plan.rows] or [one.heading for one in file.prompts]
        )
    if isinstance(file, CandidateFile):
        _store_texts(locked, file, plan)
    else:
        stored = stored_prompts(file.genre, {place.content for place, _noted in plan.further})
        prompts = [stored[place.content] for place, _noted in plan.further]
        lay_out(locked, prompts, [noted for _place, noted in plan.further])
        store_items_of(locked, file, {place.content: stored[place.content] for place, _noted in plan.further})
    locked.signed_off_at = None
    locked.save(update_fields=["text_language", "signed_off_at"])
    study.text_language, study.signed_off_at = locked.text_language, None
    log_act(
        study, by, "study.material_added",
        file=file.name, sha256=file.sha256, prompts=plan.addition.new_prompts, texts=plan.addition.texts,
        methods=len(plan.addition.new_methods),
    )  # fmt: skip
    return plan.addition


def _plan(study: Study, file: CandidateFile | PromptFile) -> _Plan:
    if PromptDraw.objects.filter(study=study).exists():
        raise Refused(
            _(
                "The prompts that people rate were drawn from this material; upload all of it again to change it."
            )
        )
    problems = Problems(file.name)
    names = study.study_methods.names()
    prompts = _Prompts(study)
    if isinstance(file, CandidateFile):
        rows, further = _placed(file, prompts, problems)
        new_methods = [key for key in file.methods if key not in names]
    else:
        rows, new_methods = [], []
        noted: Sequence[Mapping[str, Any]] = file.notes or [{}] * len(file.prompts)
        further = [
            (_Place(content, None, set()), notes)
            for content, notes in zip(file.prompts, noted, strict=True)
            if prompts.find(content, problems, 0) is None
        ]
        for place, _noted in further:
            prompts.add(place)
    problems.refuse_if_any()
    if not (rows or further):
        raise Refused(_("The study has all these prompts already."))
    if len(names) + len(new_methods) > MOST_METHODS:
        raise Refused(
            _("The study has %(most)d methods, and no page can show more.") % {"most": MOST_METHODS}
        )
    labels = file.labels if isinstance(file, CandidateFile) else {}
    for key in new_methods:
        refuse_taken_name(study, key, labels.get(key, ""))
    names |= {key: method_name(key, labels.get(key, "")) for key in new_methods}
    before = len({place.content for place in prompts.places if place.page is not None})
    new_prompts = len(prompts.by_prompt) - before
    lacking = [
        (place, tuple(name for key, name in names.items() if key not in place.methods))
        for place in prompts.places
        if not names.keys() <= place.methods
    ]
    addition = Addition(
        texts=len(rows),
        new_methods=tuple(names[key] for key in new_methods),
        new_prompts=new_prompts,
        known_prompts=len(file.prompts) - new_prompts,
        missing=sum(len(by) for _place, by in lacking),
        missing_at=tuple(Lacking(place.content.heading, by) for place, by in lacking[:SHOWN_AT_MOST]),
    )
    return _Plan(addition, rows, further)


def _placed(
    file: CandidateFile, prompts: _Prompts, problems: Problems
) -> tuple[list[tuple[Row, _Place]], list[tuple[_Place, Mapping[str, Any]]]]:
    """Return the rows of a file with their pages, and the pages that are new: second samples after all first ones."""
    meant: dict[PromptContent, PromptContent] = {}
    rows: dict[int, _Place] = {}
    further: list[tuple[_Place, Mapping[str, Any]]] = []
    for number, row in sorted(enumerate(file.rows), key=lambda one: one[1].sample):
        if row.prompt not in meant:
            meant[row.prompt] = prompts.find(row.prompt, problems, row.place) or row.prompt
        content = meant[row.prompt]
        pages = prompts.by_prompt.get(content, [])
        if row.sample > len(pages):
            place = _Place(content, None, set())
            prompts.add(place)
            further.append((place, {}))
        else:
            place = pages[row.sample - 1]
        if row.method in place.methods:
            problems.add(
                row.place, "method", _("%(method)s has a text for this prompt in the study already"),
                method=file.labels.get(row.method, row.method),
            )  # fmt: skip
        place.methods.add(row.method)
        rows[number] = place
    return [(row, rows[number]) for number, row in enumerate(file.rows)], further


def _store_texts(study: Study, file: CandidateFile, plan: _Plan) -> None:
    texts = [
        ImportedText(place.content, row.method, row.text, row.provenance, row.notes, row.sample)
        for row, place in plan.rows
    ]
    source = {"import": file.name, "sha256": file.sha256, "normaliser": NORMALISER_VERSION}
    candidates = record_import(file.genre, texts, source=source, labels=file.labels)
    prompt_of = {id(place): one.prompt_id for (_row, place), one in zip(plan.rows, candidates, strict=True)}
    new = [place for place, _noted in plan.further]
    had = set(Page.objects.filter(subtask__study=study).values_list("prompt_id", flat=True))
    for place, page in zip(new, lay_out(study, [prompt_of[id(place)] for place in new]), strict=True):
        place.page = page
    further = {place.content: prompt_of[id(place)] for place in new}
    store_items_of(study, file, {content: pk for content, pk in further.items() if pk not in had})
    method_of = study_methods_of(study, file.methods)
    copy_rows(
        PageCandidate,
        ("page", "candidate", "study_method"),
        [
            (place.page, one.pk, method_of[row.method])
            for (row, place), one in zip(plan.rows, candidates, strict=True)
        ],
    )


def store_items_of(
    study: Study, file: CandidateFile | PromptFile, further: Mapping[PromptContent, int]
) -> None:
    """Save the items of checklists that a file has for further prompts; those of known prompts stay as they are."""
    items = {further[prompt]: said for prompt, said in file.checklists.items() if prompt in further}
    store_prompt_items(study, items)


def study_methods_of(study: Study, keys: Iterable[str]) -> dict[str, int]:
    """Return the primary keys of a study's methods, those that it does not have yet numbered after the others."""
    wanted: Sequence[str] = list(keys)
    there = dict(study.study_methods.values_list("method__key", "pk"))
    highest = study.study_methods.aggregate(highest=Max("number"))["highest"]
    first = 0 if highest is None else highest + 1
    methods = Method.objects.in_bulk([key for key in wanted if key not in there], field_name="key")
    new = StudyMethod.objects.bulk_create(
        StudyMethod(study=study, method=method, number=number)
        for number, method in enumerate((methods[key] for key in wanted if key in methods), start=first)
    )
    return there | {one.method.key: one.pk for one in new}
