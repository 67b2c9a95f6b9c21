"""What a study declares of its quality control: the only writer of known answers, and of which pages have them.

A declaration says everything at once and takes the place of the one before, so that page, API and command mean the
same. It is fixed with the material: by the plan, the first evaluator, or the launch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from annotations.access.fixed import refuse_if_fixed
from annotations.access.log import log_act
from annotations.models import Criterion, KnownAnswer, Page, PageCandidate, QualityControl, Study
from annotations.models.bounds import check_row, check_texts
from annotations.models.texts_by_language import TextsByLanguage
from annotations.setup.quality.layout import FEWEST_BETWEEN
from generation.refusals import Refused

RULES = (
    "repeats_per_subtask",
    "known_answer_share",
    "training_share",
    "training_attempts",
    "has_flags",
    "hasty_seconds",
    "flag_share",
)
DECLARED = (Page.Role.KNOWN, Page.Role.TRAINING)


@dataclass(frozen=True)
class DeclaredAnswer:
    """What is right about a method's text: a range of scores by a criterion, or that it is the best of its page."""

    method: str
    # Key; none where the text is the best by what the study asks as a whole.
    criterion: str | None = None
    lowest: float | None = None
    highest: float | None = None

    @property
    def is_best(self) -> bool:
        return self.lowest is None and self.highest is None


@dataclass(frozen=True)
class DeclaredPage:
    """A page that does not count: by the id of its prompt, or as 'sub-task/page'."""

    prompt: str
    role: str
    answers: tuple[DeclaredAnswer, ...] = ()
    explanation: TextsByLanguage = field(default_factory=TextsByLanguage)


@dataclass(frozen=True)
class Declaration:
    """Everything that a study declares; `rules` are fields of `QualityControl`, by default theirs."""

    rules: dict[str, Any] = field(default_factory=dict)
    pages: tuple[DeclaredPage, ...] = ()


def declared(study: Study) -> Declaration:
    """Return what a study declares, with three queries; a page is named 'sub-task/page'."""
    control = QualityControl.objects.filter(study=study).first() or QualityControl(study=study)
    answers: dict[int, list[DeclaredAnswer]] = defaultdict(list)
    known = KnownAnswer.objects.filter(page_candidate__page__subtask__study=study).order_by("pk")
    method = "page_candidate__study_method__method__key"
    for page, key, criterion, lowest, highest in known.values_list(
        "page_candidate__page", method, "criterion__key", "lowest", "highest"
    ):
        answers[page].append(DeclaredAnswer(key, criterion, lowest, highest))
    pages = Page.objects.filter(subtask__study=study, role__in=DECLARED).select_related("subtask")
    return Declaration(
        {name: getattr(control, name) for name in RULES},
        tuple(
            DeclaredPage(
                f"{page.subtask.number}/{page.number}", page.role, tuple(answers[page.pk]), page.explanation
            )
            for page in pages
        ),
    )


@transaction.atomic
def declare(study: Study, declaration: Declaration, *, by: User | None) -> None:
    """Declare the quality control of a study in place of what it declared, and log it.

    Raises `Refused` with a sentence for everything that is wrong, `ValidationError` for rules out of their bounds.
    """
    locked = Study.objects.locked(study)
    refuse_if_fixed(locked)
    control = QualityControl.objects.filter(study=study).first() or QualityControl(study=locked)
    by_default = QualityControl()
    for name in RULES:
        setattr(control, name, declaration.rules.get(name, getattr(by_default, name)))
    check_row(control)
    found = _found_pages(locked, declaration.pages)
    rows = _known_answers(locked, found)
    _refuse_unfit(locked, control, found)
    control.save()
    Page.objects.filter(subtask__study=study, role__in=DECLARED).update(
        role=Page.Role.COUNTED, explanation=TextsByLanguage()
    )
    KnownAnswer.objects.filter(page_candidate__page__subtask__study=study).delete()
    for page, said in found:
        page.role, page.explanation = Page.Role(said.role), said.explanation
        check_texts(page)
        page.save(update_fields=["role", "explanation"])
    KnownAnswer.objects.bulk_create(rows)
    log_act(locked, by, "study.quality_control")


def declare_answer(study: Study, said: DeclaredPage, *, by: User | None) -> None:
    """Add answers to what a study declares of a page, or declare the page; an equal answer takes the other's place."""
    before = declared(study)
    known = next((one for one in before.pages if one.prompt == said.prompt), None)
    if known is not None:
        new = {(one.method, one.criterion) for one in said.answers}
        kept = tuple(one for one in known.answers if (one.method, one.criterion) not in new)
        said = replace(
            said, answers=(*kept, *said.answers), explanation=said.explanation or known.explanation
        )
    pages = (*(one for one in before.pages if one.prompt != said.prompt), said)
    declare(study, replace(before, pages=pages), by=by)


def take_out(study: Study, prompt: str, *, by: User | None) -> None:
    """Let a page ('sub-task/page') count again."""
    before = declared(study)
    pages = tuple(one for one in before.pages if one.prompt != prompt)
    if len(pages) == len(before.pages):
        raise Refused(
            _("%(page)s is no page with a known answer and none of the training.") % {"page": prompt}
        )
    declare(study, replace(before, pages=pages), by=by)


def change_rules(study: Study, rules: dict[str, Any], *, by: User | None) -> None:
    """Change the rules that a study declares; its pages stay."""
    before = declared(study)
    declare(study, replace(before, rules=before.rules | rules), by=by)


def _found_pages(study: Study, pages: Sequence[DeclaredPage]) -> list[tuple[Page, DeclaredPage]]:
    """Return the pages that are named; raise `Refused` for those that are not there or come twice."""
    by_name: dict[str, list[Page]] = defaultdict(list)
    for page in Page.objects.filter(subtask__study=study).select_related("subtask", "prompt"):
        for name in {f"{page.subtask.number}/{page.number}", page.prompt.external_id} - {""}:
            by_name[name].append(page)
    wrong, found, taken = [], [], set[int]()
    for said in pages:
        named = by_name.get(said.prompt, [])
        if said.role not in DECLARED:
            wrong.append(_("%(page)s: the role is known or training.") % {"page": said.prompt})
        elif len(named) != 1:
            words = (
                _("%(page)s: several prompts have this id.")
                if named
                else _("%(page)s: there is no such prompt.")
            )
            wrong.append(words % {"page": said.prompt})
        elif named[0].pk in taken:
            wrong.append(_("%(page)s: it is named twice.") % {"page": said.prompt})
        else:
            taken.add(named[0].pk)
            found.append((named[0], said))
    if wrong:
        raise Refused(*wrong)
    return found


def _known_answers(study: Study, found: Sequence[tuple[Page, DeclaredPage]]) -> list[KnownAnswer]:
    """Return the rows of the answers (not saved); raise `Refused` for those that cannot be."""
    criteria = {one.key: one for one in study.criteria.all()}
    shown = PageCandidate.objects.filter(page__in=[page.pk for page, _said in found])
    text_of = {
        (page, method): pk
        for page, method, pk in shown.values_list("page", "study_method__method__key", "pk")
    }
    wrong, rows = [], []
    for page, said in found:
        reasons = []
        if not said.answers and said.role == Page.Role.KNOWN:
            reasons.append(_("say what is right there."))
        if len({(one.method, one.criterion) for one in said.answers}) < len(said.answers):
            reasons.append(_("something is said twice of a text."))
        best = {(one.method, one.criterion) for one in said.answers if one.is_best}
        if len(best) > len({criterion for _method, criterion in best}):
            reasons.append(_("only one text is the best."))
        for one in said.answers:
            reason = _why_not(study, one, criteria, is_there=(page.pk, one.method) in text_of)
            if reason:
                reasons.append(reason)
                continue
            criterion = criteria[one.criterion] if one.criterion else None
            rows.append(
                KnownAnswer(
                    page_candidate_id=text_of[page.pk, one.method], criterion=criterion,
                    lowest=one.lowest, highest=one.highest,
                )
            )  # fmt: skip
        wrong += [f"{said.prompt}: {reason}" for reason in reasons]
    if wrong:
        raise Refused(*wrong)
    return rows


def _why_not(study: Study, said: DeclaredAnswer, criteria: dict[str, Criterion], *, is_there: bool) -> str:
    """Return why an answer cannot be known, or nothing."""
    if not is_there:
        return _("there is no text by %(method)s.") % {"method": said.method}
    if said.criterion is not None and said.criterion not in criteria:
        return _("%(criterion)s is no criterion of the study.") % {"criterion": said.criterion}
    if said.is_best:
        return ""
    if said.criterion is None or said.lowest is None or said.highest is None:
        return _("a range has a criterion, a lowest and a highest score.")
    minimum, maximum, _lower = study.scale(criteria[said.criterion])
    if not minimum <= said.lowest <= said.highest <= maximum:
        return _(
            "the range of %(criterion)s lies between %(minimum)s and %(maximum)s, the lowest score first."
        ) % {
            "criterion": said.criterion,
            "minimum": f"{minimum:g}",
            "maximum": f"{maximum:g}",
        }
    return ""


def _refuse_unfit(study: Study, control: QualityControl, found: Sequence[tuple[Page, DeclaredPage]]) -> None:
    """Refuse a training that nobody can pass, and checks that leave no page to count."""
    training = [said for _page, said in found if said.role == Page.Role.TRAINING]
    if control.training_share is not None and not any(said.answers for said in training):
        raise Refused(_("A passing mark needs a training page with a known answer."))
    if found and len(found) == Page.objects.filter(subtask__study=study).count():
        raise Refused(_("No page is left that counts."))


def quality_obstacles(study: Study, pages: int) -> list[str]:
    """Say where what is declared cannot be carried out; `pages` is the number of the study's prompts. Two queries at
    most.
    """
    control = getattr(study, "quality_control", None)
    if control is None:
        return []
    if control.repeats_per_subtask and min(study.prompts_per_subtask, pages) <= FEWEST_BETWEEN:
        said = _("A page can only come again in a sub-task of more than %(fewest)d pages.")
        return [said % {"fewest": FEWEST_BETWEEN}]
    if (
        control.training_share is not None
        and not KnownAnswer.objects.filter(
            page_candidate__page__subtask__study=study, page_candidate__page__role=Page.Role.TRAINING
        ).exists()
    ):
        return [_("A passing mark needs a training page with a known answer.")]
    return []


def declaration_document(study: Study) -> dict[str, Any]:
    """Return what a study declares, as JSON has it."""
    found = declared(study)
    rules = {
        name: float(value) if isinstance(value, Decimal) else value for name, value in found.rules.items()
    }
    return {
        **rules,
        "pages": [
            {
                "prompt": page.prompt,
                "role": page.role,
                "explanation": dict(page.explanation),
                "answers": [
                    {name: value for name, value in vars(answer).items() if value is not None}
                    for answer in page.answers
                ],
            }
            for page in found.pages
        ],
    }
