"""The steps from a draft to its launch: what is done, what is missing, and which is next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from annotations import counted
from annotations.models import AnalysisPlan, Criterion, Page, Study
from annotations.setup.lifecycle import launch_obstacles, material_obstacles
from annotations.setup.material import MaterialChecks, material_checks
from annotations.setup.rubrics import ask_for_ratings
from generation.files.problems import listed
from stats.reports.numbers import exact_percent


@dataclass(frozen=True)
class Step:
    """One step: where it is done, whether it is, and what there is in words."""

    key: str
    title: str
    url: str
    verb: str
    is_done: bool
    facts: tuple[str, ...]
    # Another page of the step: its address and what it is called.
    also: tuple[str, str] | None = None


@dataclass(frozen=True)
class Checklist:
    """All steps, and what keeps the study from its sign-off and its launch."""

    steps: tuple[Step, ...]
    checks: MaterialChecks
    sign_off_obstacles: tuple[str, ...]
    launch_obstacles: tuple[str, ...]
    missing_words: tuple[str, ...]

    @property
    def next_key(self) -> str:
        """The key of the first step that is missing; "sign-off" and "launch" follow the others."""
        return next((step.key for step in self.steps if not step.is_done), "launch")


def _way_to_what_is_asked(study: Study) -> tuple[str, str] | None:
    """Return the page of what a protocol asks beside criteria, and its name."""
    if study.protocol == "checklist":
        return reverse("annotations:checklist_items", args=[study.slug]), _("Items of the checklist")
    if study.asks.marks_errors:
        return reverse("annotations:error_categories", args=[study.slug]), _("Errors that are marked")
    return None


def checklist(study: Study) -> Checklist:
    """Return the steps of a study with a constant number of queries."""
    study = study.reading_once()
    checks = material_checks(study)
    criteria = list(study.criteria.all())
    labels = [str(criterion.label) for criterion in criteria]
    is_draft = study.state == Study.State.DRAFT
    wrong = tuple(material_obstacles(study, checks))
    has_plan = AnalysisPlan.objects.filter(study=study).exists()
    steps = (
        Step(
            "criteria",
            _("Criteria"),
            reverse("annotations:criteria", args=[study.slug]),
            _("Change the criteria") if is_draft else _("Look at the criteria"),
            bool(labels),
            (listed(labels),) if labels else (_("The study asks nothing yet."),),
            _way_to_what_is_asked(study),
        ),
        Step(
            "material",
            _("Prompts and candidates"),
            reverse("annotations:material", args=[study.slug]),
            _("Look at the material") if checks.prompts else _("Upload the material"),
            checks.is_complete and len(checks.methods) > 1,
            material_facts(checks),
        ),
        Step(
            "settings",
            _("Words and rules"),
            reverse("annotations:study_settings", args=[study.slug]),
            _("Change the words and rules"),
            True,
            setting_facts(study),
        ),
        Step(
            "consent",
            _("Consent and form"),
            reverse("annotations:consent_settings", args=[study.slug]),
            _("Change what they agree to") if is_draft else _("See what they agree to"),
            True,
            consent_facts(study),
        ),
        Step(
            "quality",
            _("Quality control"),
            reverse("annotations:quality", args=[study.slug]),
            _("Declare the quality control") if is_draft else _("See the quality control"),
            True,
            quality_facts(study),
        ),
        Step(
            "sign_off",
            _("Preview and sign-off"),
            reverse("annotations:preview", args=[study.slug]),
            _("See it as an evaluator"),
            study.signed_off_at is not None,
            (_("Look at the pages as evaluators will see them, then sign the material off."),),
        ),
        Step(
            "plan",
            _("Plan, sample size and rehearsal"),
            reverse("annotations:plan", args=[study.slug]),
            _("Look at the plan") if has_plan else _("Plan the analysis"),
            has_plan,
            (
                _("The plan is locked.")
                if has_plan
                else _("Say before the first answer what decides the study, and see what it will find."),
            ),
            (reverse("annotations:sample_size", args=[study.slug]), _("How many evaluators?")),
        ),
    )
    obstacles = tuple(launch_obstacles(study, checks, wrong))
    return Checklist(steps, checks, wrong, obstacles, missing_words(study, criteria))


def missing_words(study: Study, criteria: Iterable[Criterion]) -> tuple[str, ...]:
    """Say for each language of a study's pages which of its words are there in another only, and which do not fit."""
    texts = [
        (_("title"), study.title),
        (_("instructions"), study.instructions),
        (_("consent"), study.consent),
        *((_("question “%(label)s”") % one, one["label"]) for one in study.form_questions),
        *(
            (_("%(part)s of “%(criterion)s”") % {"part": part, "criterion": one.label}, text)
            for one in criteria
            for part, text in (
                (_("name"), one.label),
                (_("question"), one.question),
                (_("low end"), one.low),
                (_("high end"), one.high),
            )
        ),
    ]
    missing = {
        code: [name for name, text in texts if text and code not in text]
        for code in study.interface_languages
    }
    unfit = study.asks.answer is not None and ask_for_ratings(study.instructions)
    said = (_("The instructions ask for ratings, which this study does not: change them."),) if unfit else ()
    return said + tuple(
        _("Missing in %(language)s: %(texts)s.")
        % {
            "language": dict(settings.LANGUAGES).get(code, code),
            "texts": pgettext("list", ", ").join(names),
        }
        for code, names in missing.items()
        if names
    )


def material_facts(checks: MaterialChecks) -> tuple[str, ...]:
    if not checks.prompts:
        return (_("There are no prompts yet."),)
    counted = [
        ngettext("%(count)d prompt", "%(count)d prompts", checks.prompts) % {"count": checks.prompts},
        ngettext("%(count)d method", "%(count)d methods", len(checks.methods))
        % {"count": len(checks.methods)},
        ngettext("%(count)d text", "%(count)d texts", checks.texts) % {"count": checks.texts},
        ngettext("%(count)d sub-task", "%(count)d sub-tasks", checks.subtasks) % {"count": checks.subtasks},
    ]
    if checks.missing:
        said = ngettext("%(count)d text is missing.", "%(count)d texts are missing.", checks.missing)
        counted.append(said % {"count": checks.missing})
    if checks.naming_maker:
        said = ngettext(
            "%(count)d text seems to name its maker: see the material.",
            "%(count)d texts seem to name their makers: see the material.",
            checks.naming_maker,
        )
        counted.append(said % {"count": checks.naming_maker})
    return tuple(counted)


def setting_facts(study: Study) -> tuple[str, ...]:
    days = ngettext("%(count)d day to rate", "%(count)d days to rate", study.days_to_rate)
    if study.evaluators_per_subtask:
        sharing = _("%(evaluators)s a sub-task, for each evaluator up to %(subtasks)d") % {
            "evaluators": counted.evaluators(study.evaluators_per_subtask),
            "subtasks": study.subtasks_per_evaluator,
        }
    else:
        sharing = _("everybody rates everything")
    together = study.candidates_per_page
    blocks = ngettext("%(count)d text on a page", "%(count)d texts on a page", together or 0)
    return (
        str(study.asks.label),
        *([blocks % {"count": together}] if together else ()),
        sharing,
        days % {"count": study.days_to_rate},
        _("at most %(percent)s of the pages inconsistent")
        % {"percent": exact_percent(float(study.inconsistency_threshold))}
        if study.has_best_picks
        else _("whoever rates everything counts"),
        _("%(payment)s %(currency)s for a valid evaluator")
        % {"payment": study.payment, "currency": study.currency}
        if study.payment
        else _("unpaid"),
    )


def quality_facts(study: Study) -> tuple[str, ...]:
    """Return what a study declares in words, with two queries at most."""
    roles = dict(
        Page.objects.filter(subtask__study=study)
        .order_by()
        .values_list("role")
        .annotate(pages=Count("pk"))
        .values_list("role", "pages")
    )
    control = getattr(study, "quality_control", None)
    known, training = roles.get(Page.Role.KNOWN, 0), roles.get(Page.Role.TRAINING, 0)
    repeats = control.repeats_per_subtask if control else 0
    facts = []
    if known:
        facts.append(ngettext("%(n)d known-answer page", "%(n)d known-answer pages", known) % {"n": known})
    if training:
        facts.append(ngettext("%(n)d training page", "%(n)d training pages", training) % {"n": training})
    if repeats:
        said = ngettext("%(n)d repeated page a sub-task", "%(n)d repeated pages a sub-task", repeats)
        facts.append(said % {"n": repeats})
    if control and control.has_flags:
        facts.append(_("flags for people to look at"))
    return tuple(facts) or (_("nothing is declared"),)


def consent_facts(study: Study) -> tuple[str, ...]:
    questions = ngettext("%(count)d question", "%(count)d questions", len(study.questions))
    return (
        _("a text to agree to") if study.consent else _("no text to agree to"),
        questions % {"count": len(study.questions)} if study.questions else _("no questions"),
    )
