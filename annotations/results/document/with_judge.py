"""The differences of methods by people alone and with a judge's scores of prompts that nobody rated."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations.results.document.wording import cell, count_cell, in_a_row, interval
from generation.files.problems import listed
from stats.judges.checks import JudgeChecks, PairCombined
from stats.judges.combined import CombinedMean
from stats.reports.document import Block, Cell, Paragraph, Section, Table
from stats.reports.numbers import percent, signed
from stats.reports.study_report import JudgeFacts, StudyReport


def combined_section(report: StudyReport) -> Section | None:
    """Give the differences of methods by people alone and with each judge, or why there are none with it."""
    compared = [(judge, checks) for judge in report.judges for checks in judge.checks if checks.combined]
    if not compared:
        return None
    blocks: list[Block] = []
    without: dict[tuple[str, str], list[str]] = {}
    for judge, checks in compared:
        if any(pair.mean.combined is not None for pair in checks.combined):
            blocks += combined_blocks(report, judge, checks)
        else:
            reason = refusal_words(checks.combined[0].mean)
            without.setdefault((checks.criterion, reason), []).append(judge.label)
    blocks += [
        Paragraph(
            _("There is no combined estimate with %(judge)s on %(criterion)s: %(reason)s.")
            % {
                "judge": listed(labels),
                "criterion": report.criterion(criterion).label,
                "reason": reason,
            }
        )
        for (criterion, reason), labels in without.items()
    ]
    first = Paragraph(
        _(
            "A judge can stand in for prompts that nobody rated, never for evaluators: the spread between evaluators"
            " stays in the interval. Where the prompts that people rated were drawn at random, the estimate with the"
            " judge is unbiased whatever the judge is worth."
        )
    )
    return Section("with-judge", _("With the judge"), (first, *blocks))


def combined_blocks(report: StudyReport, judge: JudgeFacts, checks: JudgeChecks) -> list[Block]:
    labels = report.study.method_labels
    words = {"judge": judge.label, "criterion": report.criterion(checks.criterion).label}
    with_one = [pair for pair in checks.combined if pair.mean.combined is not None]
    blocks: list[Block] = [
        Table(
            _("Differences on %(criterion)s by people alone, and with %(judge)s") % words,
            (
                _("Pair"),
                _("People"),
                _("95 % CI"),
                _("With the judge"),
                _("95 % CI"),
                "λ",
                _("Prompts rated"),
                _("Prompts not rated"),
            ),
            tuple(combined_row(pair, labels) for pair in with_one),
        )
    ]
    blocks += [
        Paragraph(f"{labels[pair.b]} − {labels[pair.a]}: {combined_sentence(pair.mean)}") for pair in with_one
    ]
    if without := max(pair.mean.without_score for pair in with_one):
        blocks.append(
            Paragraph(
                ngettext(
                    "%(count)d prompt has no score by the judge and is left out of both.",
                    "%(count)d prompts have no score by the judge and are left out of both.",
                    without,
                )
                % {"count": without}
            )
        )
    return blocks


def combined_row(pair: PairCombined, labels: dict[str, str]) -> tuple[Cell, ...]:
    people, combined = pair.mean.people, pair.mean.combined
    estimate = None if combined is None else combined.estimate
    return (
        f"{labels[pair.b]} − {labels[pair.a]}",
        cell(people.estimate, signed(people.estimate)),
        interval(people.ci, with_sign=True),
        cell(estimate, signed(estimate)),
        interval(None if combined is None else combined.ci, with_sign=True),
        cell(pair.mean.weight),
        count_cell(pair.mean.rated),
        count_cell(pair.mean.unrated),
    )


def combined_sentence(mean: CombinedMean) -> str:
    """Say by how much the judge narrows the interval, what the same would take, and what it cannot do."""
    if not mean.judge_varies:
        return _("the judge makes no difference between these methods, and is not used.")
    narrowing, alike, share = mean.narrowing, mean.prompts_alike, mean.share_of_evaluators
    if narrowing is None or narrowing < 0.005:
        first = _("the judge does not narrow the interval.")
    elif alike is None:
        first = _(
            "the judge narrows the interval by %(share)s, which no number of prompts would do: more evaluators are"
            " needed, not a judge."
        ) % {"share": percent(narrowing)}
    else:
        more = max(round(alike) - mean.rated, 0)
        first = ngettext(
            "the judge narrows the interval by %(share)s, as %(count)d more prompt would.",
            "the judge narrows the interval by %(share)s, as %(count)d more prompts would.",
            more,
        ) % {"share": percent(narrowing), "count": more}
    if share is None:
        return first
    return in_a_row(
        first,
        _("It cannot replace evaluators: their spread makes %(share)s of the variance.")
        % {"share": percent(share)},
    )


def refusal_words(mean: CombinedMean) -> str:
    """Say why there is no combined estimate."""
    return {
        "few evaluators": _("it needs 6 evaluators, there are %(count)d") % {"count": mean.people.evaluators},
        "few prompts": _("it needs 10 prompts that people rated, there are %(count)d")
        % {"count": mean.rated},
        "few unrated prompts": _("it needs 10 prompts that nobody rated, there are %(count)d")
        % {"count": mean.unrated},
        "no error": _("there is no standard error"),
        "chosen": _("the prompts that people rated were chosen, not drawn"),
        None: "",
    }[mean.refusal]
