"""The end of a report: cases, the published formulas, the plan and the methods."""

from __future__ import annotations

from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations import counted
from annotations.protocols.table import PROTOCOLS
from annotations.results.document.findings import pair_label
from annotations.results.document.preferences import covariate_names
from annotations.results.document.wording import cell, in_a_row
from annotations.results.quality.wording import rule_sentences
from generation.genres import GENRES
from stats.analysis import Analysis
from stats.reports.document import Block, Cell, Number, Paragraph, Section, Table, Verse
from stats.reports.numbers import DASH, decimal, percent
from stats.reports.study_report import CaseFacts, PlanFacts, StudyReport

# Of a longer prompt its beginning says which one it is.
LONGEST_PROMPT = 300


def cases_section(report: StudyReport) -> Section | None:
    """Show a few prompts with all their candidates."""
    if not report.cases:
        return None
    blocks: list[Block] = [
        Paragraph(
            _(
                "Chosen by rule: of the method with the highest mean on the primary criterion, the prompt where it"
                " gains most over the others, the one where it does worst, and the one that splits the evaluators"
                " most."
            )
        )
    ]
    for case in report.cases:
        blocks.append(Paragraph(case_sentence(case, report)))
        blocks += [
            Verse(
                f"{report.study.method_labels[method]} ({decimal(case.means[method])})",
                case.texts[method] or _("no text"),
            )
            for method in report.study.methods
            if method in case.texts
        ]
    return Section("cases", _("Cases"), tuple(blocks))


def case_sentence(case: CaseFacts, report: StudyReport) -> str:
    """Say which prompt this is and why it was chosen."""
    sentence = {
        "gains most": _("%(prompt)s: here %(method)s gains most over the others (%(size)s points)."),
        "fails worst": _("%(prompt)s: here %(method)s does worst against the others (%(size)s points)."),
        "splits most": _(
            "%(prompt)s: here %(method)s splits the evaluators most (deviation %(size)s points)."
        ),
    }[case.kind]
    is_verse = report.study.genre in GENRES and GENRES[report.study.genre].is_verse
    return sentence % {
        "prompt": f"《{case.prompt}》" if is_verse else Truncator(case.prompt).chars(LONGEST_PROMPT),
        "method": report.study.method_labels[case.method],
        "size": decimal(case.size),
    }


def published_section(report: StudyReport) -> Section | None:
    """Give means, deviations and p-values by the formulas of the published study, with their caveat."""
    study, published = report.study, report.published
    if study.protocol != "ratings":
        return None
    labels = study.method_labels
    criteria = study.criteria
    by_pair: dict[tuple[str, str], dict[str, float | None]] = {}
    for test in published.p_values:
        by_pair.setdefault((test.a, test.b), {})[test.criterion] = test.p
    mean_rows: list[tuple[Cell, ...]] = []
    for method in study.methods:
        cells: list[Cell] = [labels[method]]
        for criterion in criteria:
            mean, deviation = (
                published.means[method][criterion.key],
                published.deviations[method][criterion.key],
            )
            cells.append(cell(mean, f"{decimal(mean)} ({decimal(deviation)})"))
        mean_rows.append(tuple(cells))
    return Section(
        "published",
        _("By the formulas of the published study"),
        (
            Paragraph(
                _(
                    "For comparison with Zou et al. (KDD 2021) only. Their p-value is not a valid test: it ignores"
                    " that the same evaluators and prompts are rated under every method, and finds differences where"
                    " there are none far more often than 5 times in 100."
                ),
                is_notice=True,
            ),
            Table(
                _("Means, with deviations in parentheses"),
                (_("Method"), *(criterion.label for criterion in criteria)),
                tuple(mean_rows),
            ),
            Table(
                _("One-sided p-values against ‘the first is at least as good as the second’"),
                (_("Null hypothesis"), *(criterion.label for criterion in criteria)),
                tuple(
                    (
                        f"{labels[a]} ≥ {labels[b]}",
                        *(published_p(p_values[criterion.key]) for criterion in criteria),
                    )
                    for (a, b), p_values in by_pair.items()
                ),
            ),
        ),
        is_folded=True,
    )


def published_p(p: float | None) -> Cell:
    """Return a p-value to four decimals, as the published study prints it."""
    if p is None:
        return DASH
    return Number(p, "< .0001" if p < 0.0001 else f"{p:.4f}".removeprefix("0"))


def planned_judge(plan: PlanFacts) -> str:
    """Return the judge of a plan with its version and use, or a dash."""
    if not plan.judge:
        return DASH
    use = (
        _("the combined estimate is secondary")
        if plan.judge_use == "combined"
        else _("it is checked against the evaluators, no more")
    )
    names = ", ".join(plan.judge_set_aside)
    aside = _("set aside: %(prompts)s") % {"prompts": names} if names else ""
    return "; ".join(filter(None, (plan.judge, plan.judge_version, use, aside)))


def planned_groups_and_covariates(plan: PlanFacts) -> list[tuple[str, str]]:
    """Return which groups the plan compares, and what comparisons of texts are adjusted for, where it says so."""
    found = []
    if plan.group_comparisons:
        pairs = [f"{first} / {second} ({grouping})" for grouping, first, second in plan.group_comparisons]
        found.append((_("Groups of evaluators compared"), "; ".join(pairs)))
    if plan.covariates is not None:
        names = [covariate_names()[one] for one in plan.covariates]
        found.append((_("What comparisons are adjusted for"), "; ".join(names) or _("nothing")))
    return found


def plan_section(report: StudyReport) -> Section:
    """Say what was planned before the first answer, and what was done otherwise."""
    plan = report.plan
    blocks: list[Block] = []
    if plan is not None:
        label = {criterion.key: criterion.label for criterion in report.study.criteria}
        labels = report.study.method_labels
        # A method that has been renamed since is still in the plan under its key then.
        pairs = [f"{labels.get(b, b)} − {labels.get(a, a)}" for a, b in plan.comparisons]
        margin = DASH if plan.equivalence_margin is None else decimal(plan.equivalence_margin)
        off_scale = _("taken as missing") if plan.off_scale == "missing" else _("kept as they were found")
        analyses = {
            "by design": _("by the rule of the design"),
            "page differences": _("differences on whole pages"),
            "ratings model": _("model of all ratings"),
            "these evaluators": _("for these evaluators alone"),
        }
        blocks.append(
            Table(
                _("Locked before the first answer"),
                (_("What"), _("As planned")),
                (
                    (_("Primary criterion"), label[plan.primary_criterion]),
                    (_("Comparisons"), "; ".join(pairs)),
                    (_("Inconsistent pages allowed"), percent(plan.inconsistency_threshold)),
                    (_("Scores off their scale"), off_scale),
                    (_("Analysis"), analyses[plan.analysis]),
                    (_("Equivalence margin (points)"), margin),
                    (_("Effect to be found (points)"), decimal(plan.planned_effect)),
                    (
                        _("Evaluators"),
                        DASH if plan.planned_evaluators is None else str(plan.planned_evaluators),
                    ),
                    (_("Prompts"), str(plan.planned_prompts)),
                    (_("Judge"), planned_judge(plan)),
                    *planned_groups_and_covariates(plan),
                    (_("Locked at"), plan.locked_at),
                    (_("Locked by"), plan.locked_by),
                    (_("SHA-256"), plan.digest),
                    (_("Notes"), plan.notes or DASH),
                ),
            )
        )
    if report.deviations_from_plan:
        blocks += [Paragraph(sentence, is_notice=True) for sentence in report.deviations_from_plan]
    elif report.sealed:
        blocks.append(Paragraph(_("So far everything is as planned.")))
    else:
        blocks.append(Paragraph(_("The study was carried out as planned.")))
    blocks += [
        Paragraph(
            _("Unblinded while open by %(by)s at %(at)s: %(reason)s")
            % {"by": unblinding.by, "at": unblinding.at, "reason": unblinding.reason},
            is_notice=True,
        )
        for unblinding in report.unblinded
    ]
    return Section("plan", _("Plan and deviations"), tuple(blocks))


def family(report: StudyReport, analysis: Analysis) -> str:
    """Say over which pairs Holm's correction ran."""
    labels = report.study.method_labels
    primary = [one for one in analysis.comparisons if one.criterion == analysis.primary]
    planned = [one for one in primary if one.is_planned]
    if len(planned) == len(primary):
        return ngettext(
            "over the %(n)d pair within a criterion",
            "over all %(n)d pairs within a criterion",
            len(primary),
        ) % {"n": len(primary)}
    return ngettext(
        "over the %(n)d planned pair within a criterion (%(pairs)s), the others being exploratory",
        "over the %(n)d planned pairs within a criterion (%(pairs)s), the others being exploratory",
        len(planned),
    ) % {"n": len(planned), "pairs": "; ".join(pair_label(one, labels) for one in planned)}


def methods_section(report: StudyReport, analysis: Analysis) -> Section:
    """Say how the numbers were made, so that a reviewer can make them again."""
    missing = sum(one.crossed.missing for one in analysis.comparisons if one.criterion == analysis.primary)
    software = report.software
    text = _(
        "Ratings of %(evaluators)s on %(prompts)s were analysed with evaluators and prompts as"
        " crossed random effects on the difference of two methods, in closed form on complete data and by REML with"
        " missing cells, with Satterthwaite's degrees of freedom (Clark 1973; Judd, Westfall and Kenny 2012). Tests are"
        " two-sided at %(alpha)s, corrected by Holm (1979) %(family)s. Missing cells over all"
        " primary comparisons: %(missing)d. Off-scale scores: %(off_scale)d. %(order)s Bootstrap: pigeonhole (Owen"
        " 2007), %(resamples)s resamples of evaluators and prompts, seed %(seed)d."
    ) % {
        "evaluators": counted.valid_evaluators(analysis.evaluators),
        "prompts": counted.prompts(analysis.prompts),
        "alpha": f"{analysis.alpha:.2f}".removeprefix("0"),
        "family": family(report, analysis),
        "missing": missing,
        "off_scale": report.off_scale.count,
        "order": order_sentence(report),
        "resamples": f"{analysis.resamples:,}",
        "seed": software.seed,
    }
    versions = _("evalsite %(evalsite)s, Python %(python)s, numpy %(numpy)s, scipy %(scipy)s.") % {
        "evalsite": software.evalsite,
        "python": software.python,
        "numpy": software.numpy,
        "scipy": software.scipy,
    }
    return Section(
        "methods",
        _("Methods"),
        (
            Paragraph(text),
            Paragraph(in_a_row(*design_sentences(report))),
            *((Paragraph(in_a_row(*rule_sentences(report.quality.rules))),) if report.quality else ()),
            Paragraph(versions),
        ),
    )


def order_sentence(report: StudyReport) -> str:
    """Say in which order evaluators saw the candidates, where that is known."""
    if report.collected_elsewhere is not None:
        return _("How the candidates were shown is not known here.")
    return _(
        "Order of candidates: drawn once for each evaluator and page, balanced over the evaluators of a page by"
        " Williams designs, method names hidden."
    )


def design_sentences(report: StudyReport) -> list[str]:
    """Say how evaluators saw the texts, and what is particular in which texts there are."""
    if report.collected_elsewhere is not None:
        return []
    study = report.study
    rules = {
        "verse": _(
            "Texts were shown by the rule of verse: blanks, marks and quotes made alike, poems set in lines."
        ),
        "prose": _(
            "Texts were shown by the rule of prose: only line ends and control characters made alike."
        ),
        "none": _("Texts were shown as they were written."),
    }
    renderings = {
        "plain": _("They stood as plain text."),
        "markdown": _("They were rendered as Markdown, without raw HTML, images and links."),
        "code": _("They stood as code, in letters of one width."),
    }
    sentences = [rules[study.normalisation], renderings[study.rendering]]
    if study.protocol != "ratings":
        sentences.insert(0, str(PROTOCOLS[study.protocol].methods_text))
    if study.candidates_per_page is not None:
        sentences.append(
            _(
                "A page had %(texts)d of the texts of its prompt: balanced incomplete blocks, drawn for each evaluator,"
                " in which every two methods stood together equally often over the evaluators of a sub-task."
            )
            % {"texts": min(study.candidates_per_page, len(study.methods))}
        )
    if study.samples > 1:
        sentences.append(
            _(
                "Methods wrote up to %(samples)d texts for a prompt. Each page had one text by each method, so a prompt"
                " stood on several pages; methods were compared on the means of their samples for a prompt."
            )
            % {"samples": study.samples}
        )
    if study.missing_texts:
        sentences.append(
            ngettext(
                "By design %(missing)d of %(all)d texts was not there; pages without a method say nothing of it.",
                "By design %(missing)d of %(all)d texts were not there; pages without a method say nothing of it.",
                study.missing_texts,
            )
            % {"missing": study.missing_texts, "all": study.prompts * len(study.methods)}
        )
    return sentences
