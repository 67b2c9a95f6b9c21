"""Setting a study up before its launch: beginning it, its words and rules, its criteria."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from annotations.access.fixed import (
    CHANGEABLE,
    OF_PAGES,
    OF_TEXTS,
    refuse_if_fixed,
    refuse_labels,
    refuse_late_changes,
)
from annotations.access.log import log_act
from annotations.models import Criterion, Study, StudyRole
from annotations.models.bounds import check_row
from annotations.models.texts_by_language import TextsByLanguage, language_codes, named_by
from annotations.recruiting.consent import check_questions
from annotations.setup.error_categories.rows import store_categories, stored_categories
from annotations.setup.pages import recut
from annotations.setup.rubrics import Rubric, RubricCriterion, fitting_instructions
from generation.files.problems import listed
from generation.models import method_name
from generation.refusals import Refused
from generation.texts.normalising import default_rule

# What is changed language by language.
BY_LANGUAGE = frozenset({"title", "instructions", "consent"})


@transaction.atomic
def create_study(
    *, slug: str, rubric: Rubric, by: User | None, title: Mapping[str, str] | None = None
) -> Study:
    """Begin a study as a draft and make whoever begins it its owner; `by` is nobody on the command line.

    Without a title the study has its slug as one. Raises ValidationError by field for a slug or a title that no study
    can have, or a slug that another one has.
    """
    study = Study(
        slug=slug,
        title=TextsByLanguage(title or {}) or named_by(slug),
        instructions=rubric.instructions,
        genre=rubric.genre,
        normalisation=default_rule(rubric.genre),
        state=Study.State.DRAFT,
        protocol=rubric.protocol or "ratings",
    )
    _fit_protocol(study)
    if not study.has_best_picks:
        study.instructions = rubric.instructions_without_picks or rubric.instructions
    taken = ValidationError({"slug": _("There is a study of this name already; take another one.")})
    check_row(study)
    if Study.objects.filter(slug__iexact=slug).exists():
        raise taken
    try:
        with transaction.atomic():
            study.save(force_insert=True)
    except IntegrityError as error:
        # Another study may have taken the slug since it was looked up.
        raise taken from error
    _save_criteria(study, rubric)
    if by:
        StudyRole.objects.create(study=study, user=by, role=StudyRole.Role.OWNER)
    log_act(study, by, "study.created")
    return study


@transaction.atomic
def change_study(study: Study, *, by: User | None, **fields: Any) -> tuple[str, ...]:
    """Change fields of a study and return the names of those that are other now.

    Of a text the languages that are left out stay as they are. Another size of the sub-tasks cuts the pages anew; with
    that, or another look or language of the texts, the material has to be signed off again. Raises ValidationError by
    field for a value that cannot be, and Refused for a field that can no longer change. TypeError is raised for a field
    that is none of `CHANGEABLE`.
    """
    if unknown := fields.keys() - CHANGEABLE:
        raise TypeError(f"{sorted(unknown)} are none of {sorted(CHANGEABLE)}")
    locked = Study.objects.locked(study)
    for name, value in fields.items():
        setattr(locked, name, getattr(locked, name).changed_by(value) if name in BY_LANGUAGE else value)
    check_row(locked)
    _check_rules(locked)
    touched = dict.fromkeys([*fields, *_fit_protocol(locked)])
    before = Study.objects.values(*touched).get(pk=study.pk) if touched else {}
    changed = tuple(name for name in touched if getattr(locked, name) != before[name])
    if not changed:
        return ()
    refuse_late_changes(locked, frozenset(changed))
    saved = list(changed)
    if (OF_TEXTS | OF_PAGES | {"prompts_per_subtask", "has_best_picks", "allows_missing_texts"}) & frozenset(
        changed
    ):
        locked.signed_off_at = None
        saved.append("signed_off_at")
    if "has_best_picks" in changed and "instructions" not in changed:
        locked.instructions = fitting_instructions(locked.instructions, has_picks=locked.has_best_picks)
        saved.append("instructions")
    if "prompts_per_subtask" in changed:
        recut(locked)
    locked.save(update_fields=saved)
    for name in saved:
        setattr(study, name, getattr(locked, name))
    log_act(study, by, "study.changed", fields=sorted(changed))
    return changed


@transaction.atomic
def replace_criteria(study: Study, rubric: Rubric, *, by: User | None) -> None:
    """Ask by other criteria than before; the study has to be signed off again.

    Instructions that the study has stay. Raises Refused where it is too late, or where the rubric is for texts
    of another genre than those in the study.
    """
    locked = Study.objects.locked(study)
    refuse_if_fixed(locked)
    if rubric.genre != locked.genre and locked.subtasks.exists():
        raise Refused(_("These criteria are for texts of another kind than those in the study."))
    locked.criteria.all().delete()
    _save_criteria(locked, rubric)
    if rubric.genre != locked.genre:
        locked.normalisation = default_rule(rubric.genre)
    locked.genre = rubric.genre
    locked.signed_off_at = None
    locked.protocol = rubric.protocol or locked.protocol
    saved = ["genre", "normalisation", "signed_off_at", "protocol", *_fit_protocol(locked)]
    locked.save(update_fields=saved)
    for name in saved:
        setattr(study, name, getattr(locked, name))
    log_act(study, by, "study.changed", fields=["criteria"])


@transaction.atomic
def label_methods(study: Study, labels: Mapping[str, str], *, by: User | None) -> tuple[str, ...]:
    """Give methods of a study, by their keys, labels of its own, and return the keys of those whose label is new.

    An empty label takes the own one back. Raises ValidationError by key for a label that cannot be or by which another
    method of the study is called, Refused while evaluators are at work, KeyError for what is no method of the study.
    """
    locked = Study.objects.locked(study)
    refuse_labels(locked)
    methods = {one.method.key: one for one in locked.study_methods.select_related("method")}
    changed = tuple(key for key, label in labels.items() if methods[key].label != label)
    for key in changed:
        methods[key].label = labels[key]
    names = {key: all_names(key, one.label or one.method.label) for key, one in methods.items()}
    wrong: dict[str, list[str]] = {}
    for key in changed:
        try:
            check_row(methods[key])
        except ValidationError as error:
            wrong[key] = error.messages
        if any(names[key] & others for other, others in names.items() if other != key):
            wrong.setdefault(key, []).append(name_taken(methods[key].name))
    if wrong:
        raise ValidationError(wrong)
    # A label may go from one method to another.
    locked.study_methods.filter(method__key__in=changed).update(label="")
    for key in changed:
        methods[key].save(update_fields=["label"])
        log_act(study, by, "study.method_label", method=key, label=labels[key])
    return changed


def all_names(key: str, label: str = "") -> frozenset[str]:
    """Return what a method is called in any of the languages, all in lower case."""
    names = set()
    for code in language_codes():
        with override(code):
            names.add(method_name(key, label).casefold())
    return frozenset(names)


def refuse_taken_name(study: Study, key: str, label: str = "") -> None:
    """Raise Refused where another method of a study is called as this one would be, in any of the languages."""
    own = all_names(key, label)
    if any(own & all_names(other, name) for other, name in study.study_methods.names().items()):
        raise Refused(name_taken(method_name(key, label)))


def name_taken(name: str) -> str:
    return _("Another method of the study is called %(label)s.") % {"label": name}


def _check_rules(study: Study) -> None:
    """Raise ValidationError, by field, for settings that make no study."""
    wrong: dict[str, str] = {}
    offered = study.interface_languages
    if not offered or len(set(offered)) < len(offered) or not set(offered) <= set(language_codes()):
        wrong["interface_languages"] = _("Give different languages of the interface: %(codes)s.") % {
            "codes": listed(language_codes())
        }
    shares = {name: getattr(study, name) for name in ("evaluators_per_subtask", "subtasks_per_evaluator")}
    for name, value in shares.items():
        if value is None and any(shares.values()):
            wrong[name] = _("Give both numbers, or neither: then everybody gets all sub-tasks.")
    if wrong:
        raise ValidationError(wrong)
    try:
        check_questions(study.questions)
    except Refused as bad:
        raise ValidationError({"questions": list(bad.reasons)}) from bad


def _fit_protocol(study: Study) -> list[str]:
    """Set what the protocol of a study leaves no choice about, and return the names of these fields.

    Raises ValidationError for a number of texts on a page that the protocol cannot ask about.
    """
    protocol, size = study.asks, study.candidates_per_page
    if size is not None and not protocol.fewest <= size <= protocol.most:
        wrong = _("Pages of this protocol have %(fewest)d to %(most)d texts.")
        raise ValidationError(
            {"candidates_per_page": wrong % {"fewest": protocol.fewest, "most": protocol.most}}
        )
    fitted = []
    if protocol.fixed_size is not None:
        study.candidates_per_page = protocol.fixed_size
        fitted.append("candidates_per_page")
    if protocol.answer is not None or protocol.texts is not None or protocol.marks_errors:
        # The pick of a page is asked for beside ratings alone.
        study.has_best_picks = False
        fitted.append("has_best_picks")
    return fitted


def rubric_of(study: Study) -> Rubric:
    """Return the criteria and the words of a study as a rubric; at most three queries."""
    names = [one.name for one in fields(RubricCriterion)]
    rows = study.criteria.values(*names)
    severities, categories = stored_categories(study)
    return Rubric(
        genre=study.genre,
        criteria=tuple(RubricCriterion(**row) for row in rows),
        title=study.title,
        instructions=study.instructions,
        protocol=study.protocol if study.asks.marks_errors else "",
        severities=severities,
        error_categories=categories,
    )


def _save_criteria(study: Study, rubric: Rubric) -> None:
    Criterion.objects.bulk_create(
        Criterion(study=study, number=number, **asdict(criterion))
        for number, criterion in enumerate(rubric.criteria)
    )
    store_categories(study, rubric.severities, rubric.error_categories)
