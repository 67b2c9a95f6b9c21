"""From a study's answers to its report: who counts, and the statistics."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import scipy
from django.conf import settings

from annotations.models import AnalysisPlan, Enrolment, PageCandidate, Study
from annotations.plan.facts import plan_facts
from annotations.plan.plan import Conduct, deviations, locked_plan
from annotations.plan.reportable import reportable
from annotations.questionnaire.turns.questions import dialogue_lines
from annotations.results.checklists.facts import study_checklist
from annotations.results.consistency import Verdict
from annotations.results.elsewhere import analysis_by_design, elsewhere_facts
from annotations.results.judgements.preferences import study_preferences
from annotations.results.judges import draw_facts, judge_facts
from annotations.results.quality.checks import quality_facts
from annotations.results.quality.groupings import groupings
from annotations.results.quality.without_flagged import without_flagged
from annotations.results.rating_table import page_prompts, page_seconds, rating_table, verdicts_on
from annotations.results.seal import is_sealed, unblinding_facts
from annotations.results.spans.facts import study_spans
from annotations.results.turns.facts import study_turns
from annotations.results.turns.scores import mean_key, mean_label, turn_criteria
from generation.models import Prompt
from stats.analysis import Analysis
from stats.cases import chosen_cases, prompt_means
from stats.groups.compared import groups_compared
from stats.ordinal.check import joined, ordinal_check
from stats.ordinal.severity import severity
from stats.published import published_deviations, published_means, published_tests
from stats.ratings.choice import Planned, choose
from stats.ratings.slices import slices, uncut_tags
from stats.ratings.table import RatingTable
from stats.reports.archive import Recipe
from stats.reports.study_report import (
    CaseFacts,
    CriterionFacts,
    Excluded,
    OffScale,
    OffScalePolicy,
    Participants,
    PlanFacts,
    Published,
    PublishedP,
    Software,
    StudyFacts,
    StudyReport,
)
from stats.significance import Comparison, compare, with_holm

BOOTSTRAP_SEED = 20210814


def study_report(
    study: Study, *, off_scale: OffScalePolicy = "kept", effect: float | None = None
) -> StudyReport:
    """Return the report of a study on its valid evaluators, without numbers by method while the study is sealed.

    Who counts is decided on the answers as they were given; `off_scale` says what the statistics do with
    scores that the scale does not have: take them as they are, or as missing. `effect` is the difference on the
    primary criterion that the study was planned to find, in points; that of the plan if left out.
    """
    if off_scale not in AnalysisPlan.OffScale.values:
        raise ValueError(
            f"off_scale must be one of {', '.join(AnalysisPlan.OffScale.values)}; got {off_scale!r}"
        )
    study = study.reading_once()
    everything = rating_table(study)
    verdicts = verdicts_on(study, everything)
    valid = everything.only_evaluators(verdict.evaluator for verdict in verdicts if verdict.is_valid)
    off_scale_count = int(valid.off_scale().sum())
    if off_scale == "missing":
        everything, valid = everything.with_off_scale_missing(), valid.with_off_scale_missing()
    sealed = is_sealed(study)
    locked = locked_plan(study)
    plan = plan_facts(locked) if locked else None
    facts = study_facts(study, everything)
    conduct = Conduct(
        recruited=len(everything.evaluators),
        prompts=facts.prompts,
        off_scale=off_scale,
        compared=() if sealed else tuple(combinations(facts.methods, 2)),
        method_labels=facts.method_labels,
    )
    report = StudyReport(
        study=facts,
        participants=participants(study, verdicts),
        scores_collected=scores_collected(valid, is_judged=study.asks.answer is not None),
        off_scale=OffScale(count=off_scale_count, policy=off_scale),
        sealed=sealed,
        unblinded=unblinding_facts(study),
        plan=plan,
        deviations_from_plan=deviations(study, locked, conduct),
        software=Software(
            evalsite=settings.VERSION,
            python=platform.python_version(),
            numpy=np.__version__,
            scipy=scipy.__version__,
            seed=BOOTSTRAP_SEED,
        ),
        collected_elsewhere=elsewhere_facts(study),
        reportable=reportable(study, locked),
        quality=quality_facts(study, everything),
        prompt_draw=draw_facts(study),
    )
    # The one place that keeps the seal: what tells methods apart is not even computed before.
    if sealed:
        return report
    report = replace(report, published=published(valid), best_choices=best_choices(valid))
    if not valid.evaluators:
        return report
    prompts = page_prompts(study)
    samples_of = samples(valid, prompts)
    if samples_of is not None:
        report = replace(report, study=replace(facts, samples=max(Counter(samples_of).values())))
    recipe = analysis_recipe(study, valid, plan, effect, samples_of)
    analysis = recipe.analyse(valid, page_seconds(study, valid))
    tags = {page: prompt.tags for page, prompt in prompts.items()}
    compared, everybody = (
        table if samples_of is None else table.averaged(samples_of) for table in (valid, everything)
    )
    ordinal = strictness = None
    if not recipe.is_judged:
        ordinal = ordinal_check(compared, analysis.primary, analysis.degrees_of_freedom())
        analysis = replace(analysis, comparisons=joined(analysis.comparisons, ordinal, analysis.alpha))
        strictness = severity(valid, analysis.primary)
    return replace(
        report,
        analysis=analysis,
        without_exclusions=primary_comparisons(study, everybody, analysis, plan)
        if report.participants.excluded
        else (),
        cases=cases(study, valid, analysis.primary, prompts),
        slices=slices(compared, tags, analysis.primary, planned_analysis(study, plan)),
        uncut_tags=uncut_tags(compared, tags),
        ordinal=ordinal,
        severity=strictness,
        checklist=study_checklist(study, valid),
        spans=study_spans(study, valid, BOOTSTRAP_SEED),
        turns=study_turns(study, valid),
        groups=groups_compared(
            compared,
            analysis.primary,
            groupings(study, plan.group_comparisons if plan else ()),
            planned_pairs=plan.comparisons if plan else (),
        ),
        quality=without_flagged(report.quality, compared, analysis, planned_analysis(study, plan)),
        preferences=study_preferences(
            study,
            valid,
            analysis.primary,
            samples_of,
            BOOTSTRAP_SEED,
            covariates=plan.covariates if plan else None,
        ),
        judges=judge_facts(study, valid, analysis.primary, samples_of, plan),
    )


def analysis_recipe(
    study: Study,
    table: RatingTable,
    plan: PlanFacts | None,
    effect: float | None,
    samples_of: Sequence[int] | None,
) -> Recipe:
    """Return what the analysis is told: by the locked plan, or with the overall criterion as primary."""
    primary = plan.primary_criterion if plan else primary_by_default(table)
    margin = plan.equivalence_margin if plan else None
    return Recipe(
        primary=primary,
        seed=BOOTSTRAP_SEED,
        margins={} if margin is None else {primary: margin},
        effect=plan.planned_effect if plan and effect is None else effect,
        planned=planned_analysis(study, plan),
        is_judged=study.asks.answer is not None or study.asks.texts is not None,
        planned_pairs=plan.comparisons if plan else None,
        groups=dict(study.enrolments.exclude(group=None).values_list("pseudonym", "group__key")),
        samples_of=samples_of,
    )


def planned_analysis(study: Study, plan: PlanFacts | None) -> Planned:
    """Return the analysis of the plan, or that of the design where there is none or the answers are about pages."""
    return plan.analysis if plan and study.asks.answer is None else analysis_by_design(study)


def samples(table: RatingTable, prompts: Mapping[str, Prompt]) -> list[int] | None:
    """Return the prompt (primary key) of every page of the table; None where each page has another one."""
    of_pages = [prompts[page].pk for page in table.prompts]
    return of_pages if len(set(of_pages)) < len(of_pages) else None


def primary_by_default(table: RatingTable) -> str:
    """Return the overall criterion, or the first of a study that has none."""
    return table.overall.key if table.overall else table.criteria[0].key


def primary_comparisons(
    study: Study, table: RatingTable, analysis: Analysis, plan: PlanFacts | None
) -> tuple[Comparison, ...]:
    """Compare every pair of methods on the ratings of everybody in the table."""
    criterion = analysis.primary
    choice = choose(table, criterion, planned_analysis(study, plan))
    pages = choice.table.pages()
    planned = None if plan is None else {frozenset(pair) for pair in plan.comparisons}
    return with_holm(
        [
            replace(
                compare(
                    pages.pair(a, b),
                    criterion=criterion,
                    a=table.methods[a],
                    b=table.methods[b],
                    choice=choice,
                    places=(a, b),
                ),
                is_planned=planned is None or frozenset((table.methods[a], table.methods[b])) in planned,
            )
            for a, b in combinations(range(len(table.methods)), 2)
        ]
    )


def cases(
    study: Study, table: RatingTable, criterion: str, prompts: Mapping[str, Prompt]
) -> tuple[CaseFacts, ...]:
    """Return the prompts that stand out by the rule of `stats.cases`, with their texts and mean ratings."""
    chosen = chosen_cases(table, criterion)
    means = prompt_means(table, criterion)
    shown: dict[str, dict[str, str]] = {}
    for subtask, page, method, text in PageCandidate.objects.counted(study).values_list(
        "page__subtask__number", "page__number", "study_method__method__key", "candidate__text"
    ):
        shown.setdefault(f"{subtask}/{page}", {})[method] = text
    return tuple(
        CaseFacts(
            kind=case.kind,
            page=case.prompt,
            prompt=study.shown_prompt(prompts[case.prompt].heading),
            method=case.method,
            size=case.size,
            means={
                method: float(mean) if np.isfinite(mean) else None
                for method, mean in zip(table.methods, means[table.prompts.index(case.prompt)], strict=True)
            },
            texts={
                method: dialogue_lines(text, study) or study.shown(text)
                for method, text in shown[case.prompt].items()
            },
            prompt_id=prompts[case.prompt].external_id,
            tags=prompts[case.prompt].tags,
        )
        for case in chosen
    )


def published(table: RatingTable) -> Published:
    """Return means, deviations and p-values by the published formulas."""
    return Published(
        means=published_means(table),
        deviations=published_deviations(table),
        p_values=tuple(
            PublishedP(null="a >= b", a=test.a, b=test.b, criterion=test.criterion, p=test.p)
            for test in published_tests(table)
        ),
    )


def best_choices(table: RatingTable) -> dict[str, int]:
    """Count how often each method was picked as best."""
    picks = np.bincount(table.picks.method, minlength=len(table.methods))
    return dict(zip(table.methods, picks.tolist(), strict=True))


def study_facts(study: Study, table: RatingTable) -> StudyFacts:
    """Return what the report says of the study itself."""
    criteria = list(study.criteria.all())
    return StudyFacts(
        slug=study.slug,
        title=str(study.title),
        genre=genre(study),
        text_language=study.text_language,
        prompts=len(table.prompts),
        methods=table.methods,
        method_labels=study.study_methods.names(),
        criteria=tuple(
            CriterionFacts(
                key=key,
                label=label,
                minimum=study.scale(criterion)[0],
                maximum=study.scale(criterion)[1],
                is_overall=is_overall,
                lower_is_better=study.scale(criterion)[2],
            )
            for criterion, key, label, is_overall in (
                *((one, one.key, str(one.label), one.is_overall) for one in criteria),
                *((one, mean_key(one), mean_label(one), False) for one in turn_criteria(study, criteria)),
            )
        ),
        inconsistency_threshold=float(study.inconsistency_threshold),
        has_best_picks=study.has_best_picks,
        protocol=study.protocol,
        candidates_per_page=study.candidates_per_page,
        normalisation=str(study.normalisation),
        rendering=str(study.rendering),
        missing_texts=0 if table.written is None else int((~table.written).sum()),
        is_closed=study.state == Study.State.CLOSED,
    )


def genre(study: Study) -> str:
    """Return the genre of a study's prompts; an empty study has none."""
    first = study.subtasks.values_list("pages__prompt__genre", flat=True).first()
    return first or ""


def participants(study: Study, verdicts: Sequence[Verdict]) -> Participants:
    """Return the funnel from recruited to valid, with the reason for everybody who does not count."""
    return Participants(
        recruited=len(verdicts),
        finished=sum(verdict.is_finished for verdict in verdicts),
        valid=sum(verdict.is_valid for verdict in verdicts),
        simulated=study.enrolments.filter(source=Enrolment.Source.SIMULATED).count(),
        excluded=tuple(
            Excluded(
                evaluator=verdict.evaluator,
                reason=verdict.exclusion,
                pages_answered=verdict.pages_answered,
                pages_inconsistent=verdict.pages_inconsistent,
            )
            for verdict in verdicts
            if verdict.exclusion is not None
        ),
    )


def scores_collected(table: RatingTable, *, is_judged: bool) -> int:
    """Count the candidates rated by valid evaluators on the overall criterion, as the paper counts them.

    A study without an overall criterion counts on the criterion with the most ratings, and one whose pages are judged
    as a whole its pages.
    """
    _, first = np.unique(table.page * len(table.criteria) + table.criterion, return_index=True)
    criteria = table.criterion[first] if is_judged else table.criterion
    per_criterion = np.bincount(criteria, minlength=len(table.criteria))
    if table.overall is not None:
        return int(per_criterion[table.criterion_index(table.overall.key)])
    return int(per_criterion.max(initial=0))
