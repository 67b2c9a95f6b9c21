"""The plan of a study's analysis: locked before the first answer, and compared with what was done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations.access.fixed import has_answers, refuse_late_plan
from annotations.access.log import log_act
from annotations.models import (
    AnalysisPlan,
    Criterion,
    DrawnPrompt,
    Page,
    Placement,
    StaffAct,
    Study,
)
from annotations.models.bounds import check_row
from annotations.models.judges import prompt_name
from annotations.plan.covariates import checked_covariates
from annotations.plan.groups import checked_group_pairs
from annotations.plan.quality import quality_document
from generation.files.problems import listed
from generation.models import Prompt
from generation.refusals import Refused
from stats.reports.numbers import exact_percent

Pair = tuple[str, str]


@dataclass(frozen=True)
class Conduct:
    """How a study was carried out and analysed, as far as a plan speaks of it."""

    recruited: int
    prompts: int
    off_scale: str
    # The pairs of methods that the report compares; none while the study is sealed.
    compared: tuple[Pair, ...]
    method_labels: dict[str, str]


def canonical_json(document: dict[str, Any]) -> str:
    """Return the one text that a plan's digest is taken of: sorted keys, no spaces, letters as they are."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def method_keys(study: Study) -> list[str]:
    return list(study.study_methods.values_list("method__key", flat=True))


def every_pair(study: Study) -> list[Pair]:
    """Return all pairs of the study's methods, each once, in the study's order."""
    return list(combinations(method_keys(study), 2))


def study_design(study: Study) -> dict[str, Any]:
    """Return what a plan takes for given: the study's methods, criteria and prompts, these by digest."""
    # The launch adds repeats of prompts that are there.
    prompts = Prompt.objects.filter(
        page__subtask__study=study, page__role__in=set(Page.Role) - {Page.Role.REPEAT}
    )
    return {
        "study": study.slug,
        "methods": method_keys(study),
        **pages_document(study),
        "criteria": [
            {
                "key": criterion.key,
                "minimum": criterion.minimum,
                "maximum": criterion.maximum,
                "is_overall": criterion.is_overall,
                # What is so in plans from before it could be said.
                **({"lower_is_better": True} if criterion.lower_is_better else {}),
            }
            for criterion in study.criteria.all()
        ],
        **quality_document(study, prompt_digest),
        # In no order of the pages: a plan does not speak of it.
        "prompts": sorted(prompt_digest(prompt) for prompt in prompts),
    }


def pages_document(study: Study) -> dict[str, Any]:
    """Return what a plan takes for given of the pages; nothing where all texts are rated, as in earlier plans."""
    said = {"protocol": study.protocol, "candidates_per_page": study.candidates_per_page}
    if study.protocol == "pairwise":
        said["preference_scale"] = study.preference_scale
    return {} if study.protocol == "ratings" and study.candidates_per_page is None else {"pages": said}


def prompt_digest(prompt: Prompt) -> str:
    return sha256(canonical_json(prompt_document(prompt)))


def prompt_document(prompt: Prompt) -> dict[str, Any]:
    """Return what a plan's digest of a prompt covers; what the prompt has not is not in it, as in earlier plans."""
    more = {name: getattr(prompt, name) for name in ("external_id", "parts", "turns", "tags")}
    return {
        "genre": prompt.genre,
        "text": prompt.text,
        "description": prompt.description,
        **{name: value for name, value in more.items() if value},
    }


def plan_document(plan: AnalysisPlan) -> dict[str, Any]:
    """Return everything that the plan's digest covers; points and shares are text with three decimals."""
    margin, effect = plan.equivalence_margin, plan.planned_effect
    # What a plan does not say is not in its document, as in plans from before it could be said.
    said: dict[str, Any] = {} if effect is None else {"planned_effect": f"{effect:.3f}"}
    if plan.analysis != AnalysisPlan.Analysis.BY_DESIGN:
        said["analysis"] = str(plan.analysis)
    if plan.judge:
        said |= {"judge": plan.judge, "judge_version": plan.judge_version, "judge_use": str(plan.judge_use)}
    if plan.judge_set_aside:
        said |= {"judge_set_aside": plan.judge_set_aside}
    if plan.group_comparisons:
        said["group_comparisons"] = plan.group_comparisons
    if plan.covariates is not None:
        said["covariates"] = plan.covariates
    return {
        "design": plan.design,
        "plan": {
            **said,
            "primary_criterion": plan.primary_criterion.key,
            "comparisons": [list(pair) for pair in plan.comparisons],
            "inconsistency_threshold": f"{plan.inconsistency_threshold:.3f}",
            "off_scale": str(plan.off_scale),
            "equivalence_margin": None if margin is None else f"{margin:.3f}",
            "planned_evaluators": plan.planned_evaluators,
            "planned_prompts": plan.planned_prompts,
            "notes": plan.notes,
        },
    }


def locked_plan(study: Study) -> AnalysisPlan | None:
    """Return the study's plan with its criterion and who locked it, in one query."""
    return (
        AnalysisPlan.objects.filter(study=study)
        .select_related("primary_criterion", "locked_by", "study")
        .first()
    )


@transaction.atomic
def lock_plan(
    study: Study,
    *,
    staff: User | None,
    primary_criterion: Criterion,
    comparisons: Iterable[Pair] | None = None,
    off_scale: str = AnalysisPlan.OffScale.KEPT,
    equivalence_margin: Decimal | None = None,
    planned_effect: Decimal | None = None,
    analysis: str = AnalysisPlan.Analysis.BY_DESIGN,
    planned_evaluators: int | None = None,
    planned_prompts: int | None = None,
    judge: str = "",
    judge_version: str = "",
    judge_use: str = AnalysisPlan.JudgeUse.NONE,
    judge_set_aside: Iterable[str] = (),
    group_comparisons: Iterable[Sequence[str]] = (),
    covariates: Iterable[str] | None = None,
    notes: str = "",
) -> AnalysisPlan:
    """Lock the plan of a study, before its first answer and for good.

    Without `comparisons` every pair of methods is to be compared, without `planned_prompts` as many prompts as the
    study has now. The rule of exclusion is the study's. `group_comparisons` are pairs of groups whose differences
    between methods are compared, `covariates` what comparisons of texts are adjusted for, all if left out. Raises
    `Refused`, and then nothing has changed.

    The study, its enrolments and the places of their candidates are locked: an answer being saved needs its enrolment
    or place to stay, so it is either seen here or stored after the plan.
    """
    study = Study.objects.locked(study)
    list(study.enrolments.select_for_update().values_list("pk"))
    list(Placement.objects.filter(enrolment__study=study).select_for_update(of=("self",)).values_list("pk"))
    refuse_late_plan(study)
    design = study_design(study)
    plan = AnalysisPlan(
        study=study,
        primary_criterion=primary_criterion,
        comparisons=checked_comparisons(study, comparisons),
        inconsistency_threshold=study.inconsistency_threshold,
        off_scale=off_scale,
        equivalence_margin=equivalence_margin,
        planned_effect=planned_effect,
        analysis=analysis,
        planned_evaluators=planned_evaluators,
        planned_prompts=len(design["prompts"]) if planned_prompts is None else planned_prompts,
        judge=judge,
        judge_version=judge_version.strip(),
        judge_use=judge_use,
        judge_set_aside=checked_set_aside(study, judge_set_aside),
        group_comparisons=checked_group_pairs(study, group_comparisons),
        covariates=checked_covariates(study, covariates),
        notes=notes.strip(),
        design=design,
        locked_by=staff,
    )
    refuse_impossible(plan)
    plan.digest = sha256(canonical_json(plan_document(plan)))
    plan.save()
    log_act(study, staff, "plan.locked", sha256=plan.digest)
    return plan


def checked_comparisons(study: Study, comparisons: Iterable[Pair] | None) -> list[list[str]]:
    """Return the pairs to be compared, each once and both in the study's order."""
    if comparisons is None:
        return [list(pair) for pair in every_pair(study)]
    order = {key: number for number, key in enumerate(method_keys(study))}
    pairs = set()
    for a, b in comparisons:
        for key in (a, b):
            if key not in order:
                raise Refused(
                    _("%(method)s is no method of this study. Its methods are %(methods)s.")
                    % {"method": key, "methods": listed(order)}
                )
        if a == b:
            raise Refused(_("%(method)s cannot be compared with itself.") % {"method": a})
        pairs.add((a, b) if order[a] < order[b] else (b, a))
    return [list(pair) for pair in sorted(pairs, key=lambda pair: (order[pair[0]], order[pair[1]]))]


def checked_set_aside(study: Study, names: Iterable[str]) -> list[str]:
    """Return the names of prompts, each once and in order, as judges' scores know them."""
    wanted = {name.strip() for name in names} - {""}
    known: dict[str, str] = {}
    for prompt in Prompt.objects.filter(page__subtask__study=study).distinct():
        name = prompt_name(prompt)
        known |= dict.fromkeys((prompt.external_id, prompt.heading.strip(), name), name)
    known |= {
        name: name for name in DrawnPrompt.objects.filter(draw__study=study).values_list("name", flat=True)
    }
    if unknown := sorted(wanted - known.keys()):
        raise Refused(_("%(prompts)s: no prompt of this study.") % {"prompts": listed(unknown)})
    found = sorted({known[name] for name in wanted})
    if found and not set(known.values()) - {"", *found}:
        raise Refused(_("All prompts are set aside: there is none left to check the judge by."))
    return found


def refuse_impossible(plan: AnalysisPlan) -> None:
    """Refuse a plan that nobody could carry out."""
    criterion = plan.primary_criterion
    if criterion.study_id != plan.study_id:
        raise Refused(_("The primary criterion must be one of this study."))
    if not plan.comparisons:
        raise Refused(_("Choose at least one pair of methods to compare."))
    minimum, maximum, _lower = plan.study.scale(criterion)
    width = maximum - minimum
    if plan.equivalence_margin is not None and not 0 < plan.equivalence_margin < width:
        raise Refused(
            _("The margin must be more than 0 and less than the %(width)s points of the scale.")
            % {"width": f"{width:g}"}
        )
    if plan.planned_effect is not None and not 0 < plan.planned_effect < width:
        raise Refused(
            _("The planned effect must be more than 0 and less than the %(width)s points of the scale.")
            % {"width": f"{width:g}"}
        )
    if plan.analysis not in AnalysisPlan.Analysis.values:
        raise Refused(
            _("The analysis must be one of %(legal)s.") % {"legal": listed(AnalysisPlan.Analysis.values)}
        )
    if bool(plan.judge) != bool(plan.judge_use) or (
        (plan.judge_version or plan.judge_set_aside) and not plan.judge
    ):
        raise Refused(_("Name the judge and what its scores are for, or neither."))
    check_row(plan, exclude=["digest"])


def deviations(study: Study, plan: AnalysisPlan | None, conduct: Conduct) -> tuple[str, ...]:
    """Return in what the study was not carried out as planned, a sentence each, in the reader's language."""
    if plan is None:
        if study.from_elsewhere is not None:
            return (
                _("The plan was written after the data: the ratings were collected elsewhere."),
                _(
                    "The primary criterion is the overall one or else the first, and every pair of methods is compared."
                ),
            )
        if study.state == Study.State.OPEN and not has_answers(study):
            return (_("No plan is locked yet."),)
        if StaffAct.objects.filter(study=study, act="study.launched", details__without_plan=True).exists():
            return (
                _("The study was launched without a plan of its analysis, and none was locked afterwards."),
            )
        return (_("No plan was locked before the first answer."),)
    return (
        *deviations_in_numbers(study, plan, conduct),
        *deviations_in_rules(study, plan, conduct),
        *deviations_in_design(study, plan),
    )


def deviations_in_numbers(study: Study, plan: AnalysisPlan, conduct: Conduct) -> list[str]:
    """Name numbers that are not the planned ones; too few evaluators in an open study are not too few yet."""
    found = []
    planned = plan.planned_evaluators
    if planned is not None and (
        conduct.recruited > planned or (conduct.recruited < planned and study.state == Study.State.CLOSED)
    ):
        found.append(
            ngettext(
                "%(planned)d evaluator was planned and %(recruited)d recruited.",
                "%(planned)d evaluators were planned and %(recruited)d recruited.",
                planned,
            )
            % {"planned": planned, "recruited": conduct.recruited}
        )
    if conduct.prompts != plan.planned_prompts:
        found.append(
            ngettext(
                "%(planned)d prompt was planned and %(prompts)d shown.",
                "%(planned)d prompts were planned and %(prompts)d shown.",
                plan.planned_prompts,
            )
            % {"planned": plan.planned_prompts, "prompts": conduct.prompts}
        )
    return found


def deviations_in_rules(study: Study, plan: AnalysisPlan, conduct: Conduct) -> list[str]:
    """Name rules and comparisons other than the planned ones."""
    found = []
    if study.inconsistency_threshold != plan.inconsistency_threshold:
        found.append(
            _(
                "Evaluators were left out above %(used)s inconsistent pages instead of the planned %(planned)s."
            )
            % {
                "used": exact_percent(float(study.inconsistency_threshold)),
                "planned": exact_percent(float(plan.inconsistency_threshold)),
            }
        )
    if conduct.off_scale != plan.off_scale:
        found.append(
            _("Scores off their scale were taken as missing; it was planned to keep them.")
            if conduct.off_scale == "missing"
            else _("Scores off their scale were kept; it was planned to take them as missing.")
        )
    planned = {frozenset(pair) for pair in plan.comparisons}
    label = conduct.method_labels
    unplanned = [f"{label[a]} – {label[b]}" for a, b in conduct.compared if frozenset((a, b)) not in planned]
    if unplanned:
        found.append(
            _("These comparisons were not planned and are exploratory: %(pairs)s.")
            % {"pairs": listed(unplanned)}
        )
    return found


def deviations_in_design(study: Study, plan: AnalysisPlan) -> list[str]:
    """Name the parts of the study that are not what they were, and a plan that is not what it was."""
    sentences = {
        "study": _("The study has another name in its address than when the plan was locked."),
        "methods": _("The methods are not those of the plan."),
        "criteria": _("The criteria or their scales are not those of the plan."),
        "prompts": _("The prompts are not those of the plan."),
        "quality_control": _("The quality control is not that of the plan."),
        "pages": _("The protocol or the size of the pages is not that of the plan."),
    }
    now = study_design(study)
    found = [sentence for part, sentence in sentences.items() if now.get(part) != plan.design.get(part)]
    if sha256(canonical_json(plan_document(plan))) != plan.digest:
        found.append(_("The stored plan no longer matches its digest: it was changed after it was locked."))
    return found
