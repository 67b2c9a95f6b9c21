"""What the report says of programs that rated: what each may be trusted with, and the interval with its help."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from annotations.results.document.wording import cell, count_cell, in_a_row, interval
from stats.judges.agreement import Measured
from stats.judges.alternative import AlternativeTest
from stats.judges.checks import JudgeChecks
from stats.judges.probes import Probe
from stats.reports.document import Block, Cell, Paragraph, Section, Table
from stats.reports.numbers import DASH, decimal, p_words, percent, signed
from stats.reports.study_report import DrawnPromptFacts, JudgeFacts, PromptDrawFacts, StudyReport

Row = tuple[Cell, ...]
PROBES = {
    "order": gettext_lazy("Same score wherever the text stands"),
    "length": gettext_lazy("More for twice the length than evaluators give"),
    "own family": gettext_lazy("More for texts of its own family than evaluators give"),
    "repeats": gettext_lazy("Deviation between repeats"),
    "share of the scale": gettext_lazy("Share of the scale it uses"),
    "empty text": gettext_lazy("Place of an empty text among its scores"),
    "single point": gettext_lazy("Place of a single point among its scores"),
}


def checks_section(report: StudyReport) -> Section | None:
    """Say of every judge whether it may be trusted, on each criterion."""
    blocks: list[Block] = []
    if report.prompt_draw is not None:
        blocks += draw_blocks(report.prompt_draw)
    if report.judges:
        blocks.append(Paragraph(in_a_row(*verdicts_explained())))
    for judge in report.judges:
        blocks.append(Paragraph(in_a_row(*about_sentences(judge))))
        rated = [one for one in judge.checks if one.on_scale]
        blocks += [block for checks in rated for block in checks_blocks(report, judge, checks)]
        if len(rated) < len(judge.checks):
            blocks += metric_blocks(report, judge, [one for one in judge.checks if not one.on_scale])
        if not judge.checks:
            blocks.append(Paragraph(_("None of its scores is on a criterion that people rated.")))
    return Section("judge", _("The judge"), tuple(blocks)) if blocks else None


def verdicts_explained() -> tuple[str, ...]:
    """Say what each verdict takes, and what the intervals are of."""
    return (
        _(
            "May stand in for an evaluator: the alternative annotator test is passed by prompt, and no probe failed."
        ),
        _(
            "May narrow intervals: the evaluators' differences between methods rise with its own, the 95 % interval of"
            " the slope lying above 0."
        ),
        _("Of no use here: neither. A metric, which has a scale of its own, cannot stand in."),
        _("All intervals of this section are over new prompts, for these evaluators and these methods."),
    )


def draw_sentence(draw: PromptDrawFacts) -> str:
    """Say how the prompts that people rate were drawn."""
    ways = {
        "uniform": _("every prompt with the same chance"),
        "variance": _("more often where the methods' scores vary"),
        "diversity": _("more often where scores are unusual"),
        "disagreement": _("more often where two methods differ most"),
    }
    said = _("%(drawn)d of %(all)d prompts, drawn on %(date)s by %(who)s: %(how)s, seed %(seed)d.") % {
        "drawn": draw.drawn,
        "all": draw.prompts,
        "date": draw.at[:16].replace("T", " "),
        "who": draw.who or DASH,
        "how": ways[draw.by],
        "seed": draw.seed,
    }
    strata = _("In strata by %(tag)s.") % {"tag": draw.strata} if draw.strata else ""
    weights = (
        _(
            "Only the section With the judge weighs by these chances: all other figures are those of prompts drawn"
            " so, and not of all prompts alike."
        )
        if draw.by != "uniform"
        else ""
    )
    return in_a_row(_("Which prompts people rate:"), said, strata, weights)


def draw_blocks(draw: PromptDrawFacts) -> list[Block]:
    """Say how the prompts were drawn, and with what chances; the JSON report has them prompt by prompt."""
    groups: dict[str, list[DrawnPromptFacts]] = {}
    for one in draw.chances:
        groups.setdefault(one.stratum, []).append(one)
    rows = [
        (
            name or _("all prompts"),
            count_cell(len(own)),
            count_cell(sum(one.drawn for one in own)),
            *(cell(value, decimal(value)) for value in _least_and_most([one.chance for one in own])),
        )
        for name, own in groups.items()
    ]
    columns = (_("Prompts"), _("There are"), _("Drawn"), _("Least chance"), _("Greatest chance"))
    return [
        Paragraph(draw_sentence(draw)),
        Table(_("Chances of the prompts to be drawn for people to rate"), columns, tuple(rows)),
    ]


def _least_and_most(values: list[float]) -> tuple[float, float]:
    return min(values), max(values)


def about_sentences(judge: JudgeFacts) -> list[str]:
    """Say which program it is, what was declared about it, and whether it was planned."""
    seen = {
        "no": _("People's answers were not in sight when they were made."),
        "yes": _("People's answers were in sight when they were made: they are no independent check."),
        "unknown": _("Whether people's answers were in sight when they were made is not known."),
    }
    planned = {
        "checks": _("The plan names it, to be checked against the evaluators."),
        "combined": _("The plan names it, and its combined estimate as secondary."),
        "another version": _("The plan names another version of it."),
        None: _("It was not planned."),
    }
    name = f"{judge.label} ({judge.version})" if judge.version else judge.label
    counted = ngettext("%(judge)s: %(count)d score.", "%(judge)s: %(count)d scores.", judge.scores)
    aside = (
        ngettext(
            "%(count)d prompt by which its own prompt was written was set aside before the first answer, and counts in"
            " none of this.",
            "%(count)d prompts by which its own prompt was written were set aside before the first answer, and count in"
            " none of this.",
            judge.set_aside,
        )
        % {"count": judge.set_aside}
        if judge.set_aside
        else ""
    )
    said = counted % {"judge": name, "count": judge.scores}
    return [said, seen[judge.saw_answers], planned[judge.planned], aside]


def checks_blocks(report: StudyReport, judge: JudgeFacts, checks: JudgeChecks) -> list[Block]:
    """Give the checks on one criterion, one a line, and the verdict."""
    criterion = report.criterion(checks.criterion).label
    caption = _("%(judge)s on %(criterion)s: what it is worth") % {
        "judge": judge.label,
        "criterion": criterion,
    }
    rows = [
        *test_rows(checks),
        *agreement_rows(checks),
        *correlation_rows(checks),
        *probe_rows(checks),
    ]
    blocks: list[Block] = [
        Table(caption, (_("Check"), _("Value"), _("95 % CI"), _("n"), _("Note")), tuple(rows))
    ]
    if checks.rates:
        blocks.append(rates_table(report, judge, checks))
    if checks.constant:
        blocks.append(Paragraph(_("The judge gave every text the same score: nothing can be told by it.")))
    blocks.append(Paragraph(verdict_sentence(judge, criterion, checks), is_notice=True))
    return blocks


def metric_blocks(report: StudyReport, judge: JudgeFacts, checks: list[JudgeChecks]) -> list[Block]:
    """Give the correlations of scores with a scale of their own, a line a criterion, and what else is known of them."""
    verdicts = {
        "may stand in": _("may stand in for an evaluator"),
        "may narrow intervals": _("may narrow intervals"),
        "of no use": _("of no use here"),
    }
    blocks: list[Block] = [
        Table(
            _("%(judge)s: rank correlations with the evaluators' mean ratings, 95 %% CI over new prompts")
            % {"judge": judge.label},
            (
                _("Criterion"),
                _("Over texts"),
                _("Within prompts"),
                _("Means of prompts"),
                _("Means of methods (plain)"),
                _("Slope"),
                _("Verdict"),
            ),
            tuple(
                (
                    report.criterion(one.criterion).label,
                    *(with_interval(one.correlations[level]) for level in one.correlations),
                    with_interval(one.slope),
                    verdicts[one.verdict],
                )
                for one in checks
            ),
        )
    ]
    first = checks[0]
    methods = first.correlations["methods"].n
    sentences = [
        ngettext(
            "The slope is in points of the criterion for a standard deviation of its scores within prompts. Means of"
            " methods are those of %(count)d method.",
            "The slope is in points of the criterion for a standard deviation of its scores within prompts. Means of"
            " methods are those of %(count)d methods: a correlation of so few says little.",
            methods,
        )
        % {"count": methods}
    ]
    if first.soft_pairwise_accuracy is not None and first.soft_pairwise_accuracy.value is not None:
        sentences.append(
            ngettext(
                "It ranks the methods on %(criterion)s with a soft pairwise accuracy of %(value)s (1 at best; %(count)d"
                " pair).",
                "It ranks the methods on %(criterion)s with a soft pairwise accuracy of %(value)s (1 at best; %(count)d"
                " pairs).",
                first.soft_pairwise_accuracy.n,
            )
            % {
                "criterion": report.criterion(first.criterion).label,
                "value": decimal(first.soft_pairwise_accuracy.value),
                "count": first.soft_pairwise_accuracy.n,
            }
        )
    sentences += [
        _("%(probe)s, on %(criterion)s: %(value)s standard deviations (%(ci)s), %(note)s.")
        % {
            "criterion": report.criterion(first.criterion).label,
            "probe": PROBES[one.name],
            "value": signed(one.value),
            "ci": interval(one.ci, with_sign=True),
            "note": _("failed") if one.failed else _("passed"),
        }
        for one in first.probes
        if one.name in ("length", "own family") and one.value is not None
    ]
    if first.constant:
        sentences.append(_("The judge gave every text the same score: nothing can be told by it."))
    return [*blocks, Paragraph(in_a_row(*sentences))]


def with_interval(measure: Measured) -> str:
    if measure.value is None:
        return _("undefined")
    return f"{decimal(measure.value)} [{interval(measure.ci)}]" if measure.ci else decimal(measure.value)


def verdict_sentence(judge: JudgeFacts, criterion: str, checks: JudgeChecks) -> str:
    words = {"judge": judge.label, "criterion": criterion}
    if checks.verdict == "may stand in":
        return _("On %(criterion)s, %(judge)s may stand in for an evaluator.") % words
    if checks.verdict == "may narrow intervals":
        return (
            _("On %(criterion)s, %(judge)s may narrow intervals, and not stand in for an evaluator.") % words
        )
    return _("On %(criterion)s, %(judge)s is of no use here.") % words


def test_rows(checks: JudgeChecks) -> list[Row]:
    """Give the alternative annotator test, as published and by prompt."""
    named = (
        (_("Alternative annotator test, as published"), checks.usual),
        (_("The same, averaged within prompts"), checks.by_prompt),
    )
    return [row for name, test in named if test is not None for row in _of_test(name, test)]


def _of_test(name: str, test: AlternativeTest) -> list[Row]:
    if test.refusal is not None:
        reason = {
            "few evaluators": _("left out: fewer than 3 evaluators"),
            "few texts": _("left out: fewer than 30 shared texts with 3 evaluators"),
        }[test.refusal]
        return [(name, DASH, DASH, count_cell(test.texts), reason)]
    note = _("ω, passed from .5; ε = %(epsilon)s") % {"epsilon": decimal(test.epsilon)}
    if test.without_spread:
        note += "; " + _("without spread for %(count)d, whose mean alone decides") % {
            "count": test.without_spread
        }
    return [
        (name, cell(test.omega), DASH, count_cell(test.texts), note),
        (name, cell(test.rho), DASH, count_cell(test.texts), _("ρ: as near to the others as the evaluator")),
    ]


def agreement_rows(checks: JudgeChecks) -> list[Row]:
    named: list[tuple[str, Measured | None, str]] = [
        (_("Weighted κ with evaluators"), checks.kappa, _("mean over evaluators")),
        (_("Weighted κ among evaluators"), checks.kappa_of_evaluators, _("mean over pairs of evaluators")),
        (_("Unweighted κ with evaluators"), checks.unweighted_kappa, _("the same point or not")),
        (
            _("Unweighted κ among evaluators"),
            checks.unweighted_kappa_of_evaluators,
            _("mean over pairs of evaluators"),
        ),
        (_("α ordinal of the evaluators"), checks.alpha, ""),
        (_("α ordinal with the judge among them"), checks.alpha_with_judge, ""),
        (_("Difference of the two"), checks.alpha_difference, ""),
        (_("Soft pairwise accuracy"), checks.soft_pairwise_accuracy, _("ranking of the methods, 1 at best")),
        (
            _("Slope of the evaluators' differences on its own"),
            checks.slope,
            _("above 0 it narrows intervals"),
        ),
    ]
    return [measure_row(name, measure, note) for name, measure, note in named if measure is not None]


def correlation_rows(checks: JudgeChecks) -> list[Row]:
    names = {
        "texts": (_("Rank correlation with mean ratings, over texts"), ""),
        "within prompts": (_("Rank correlation, within prompts"), _("which text of a prompt is better")),
        "prompts": (_("Rank correlation, means of prompts"), _("which prompt is easier")),
        "methods": (_("Correlation, means of methods"), _("not of ranks")),
    }
    return [measure_row(names[level][0], one, names[level][1]) for level, one in checks.correlations.items()]


def measure_row(name: str, measure: Measured, note: str) -> Row:
    if measure.value is None:
        return (name, DASH, DASH, count_cell(measure.n), _("undefined"))
    return (name, cell(measure.value), interval(measure.ci), count_cell(measure.n), note)


def probe_rows(checks: JudgeChecks) -> list[Row]:
    return [
        (
            str(PROBES[one.name]),
            probe_value(one),
            interval(one.ci, with_sign=True),
            count_cell(one.n),
            probe_note(one),
        )
        for one in checks.probes
    ]


def probe_value(probe: Probe) -> Cell:
    if probe.value is None:
        return DASH
    if probe.name in ("order", "share of the scale", "empty text", "single point"):
        return cell(probe.value, percent(probe.value))
    return cell(probe.value, signed(probe.value) if probe.ci else decimal(probe.value))


def probe_note(probe: Probe) -> str:
    """Say whether a probe failed, or why it is not possible."""
    reason = {
        "": "",
        "unknown positions": _("not possible: no positions"),
        "one repeat": _("not possible: one score a text"),
        "unknown family": _("not possible: no family named"),
        "too few": _("not possible: too few texts"),
        "no spread": _("not possible: no spread"),
        "not on the scale": _("not possible: a scale of its own"),
    }[probe.why]
    said = [reason] if reason else []
    if probe.name in ("length", "own family") and not reason:
        said.append(_("in standard deviations"))
    if probe.p is not None:
        said.append(_("earlier places against later ones: %(p)s") % {"p": p_words(probe.p)})
    if probe.failed is not None:
        said.append(_("failed") if probe.failed else _("passed"))
    return "; ".join(said)


def rates_table(report: StudyReport, judge: JudgeFacts, checks: JudgeChecks) -> Table:
    labels = report.study.method_labels
    rate = next(iter(checks.rates.values()))
    return Table(
        _("%(judge)s: share of yes, corrected for sensitivity %(q1)s and specificity %(q0)s")
        % {"judge": judge.label, "q1": percent(rate.sensitivity), "q0": percent(rate.specificity)},
        (_("Method"), _("As judged"), _("Corrected"), _("95 % CI")),
        tuple(
            (
                labels[method],
                cell(one.judged, percent(one.judged)),
                _("no better than chance")
                if one.estimate is None
                else cell(one.estimate, percent(one.estimate)),
                DASH if one.ci is None else f"{percent(one.ci[0])} – {percent(one.ci[1])}",
            )
            for method, one in checks.rates.items()
        ),
    )
