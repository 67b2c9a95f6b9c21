"""What the report says first of ratings that were collected elsewhere."""

from __future__ import annotations

from django.utils.translation import gettext as _

from annotations.results.document.wording import cell, count_cell
from stats.reports.document import Block, Paragraph, Section, Table
from stats.reports.numbers import percent
from stats.reports.study_report import ElsewhereFacts, StudyReport


def elsewhere_section(report: StudyReport) -> Section | None:
    """Say that the ratings were collected elsewhere, by whom nothing can be said, and from which files they are."""
    facts = report.collected_elsewhere
    if facts is None:
        return None
    blocks: list[Block] = [Paragraph(sentence, is_notice=True) for sentence in sentences(facts)]
    blocks.append(
        Table(
            _("Files that the ratings were imported from, at %(at)s") % {"at": facts.imported_at},
            (_("File"), _("SHA-256")),
            facts.files,
        )
    )
    if facts.self_agreement:
        labels = {criterion.key: criterion.label for criterion in report.study.criteria}
        blocks.append(
            Table(
                _("Agreement of evaluators with themselves: texts that the same evaluator scored twice"),
                (
                    _("Criterion"), _("Texts"), _("Identical"), _("Mean difference (points)"), _("α ordinal"),
                    _("α interval"),
                ),
                tuple(
                    (
                        labels[one.criterion], count_cell(one.texts), cell(one.identical, percent(one.identical)),
                        cell(one.mean_difference), cell(one.alpha_ordinal), cell(one.alpha_interval),
                    )
                    for one in facts.self_agreement
                ),
            )
        )  # fmt: skip
    return Section("elsewhere", _("Ratings collected elsewhere"), tuple(blocks))


def sentences(facts: ElsewhereFacts) -> list[str]:
    """Return what a reader must know before the numbers."""
    found = [
        _(
            "These ratings were collected elsewhere and imported: how people were recruited and asked is not known"
            " here, and the plan of this analysis was written after the data."
        )
    ]
    if facts.kind == "pairs":
        found.append(
            _(
                "Evaluators compared two texts at a time. A text's score on a page is the share of its comparisons"
                " there that it won, a tie counting one half; a difference of two methods is then 1, −1 or 0 a"
                " comparison."
            )
        )
    if facts.kind == "spans":
        found.append(
            _("What was imported are the errors that were marked; what else was rated with them is not here.")
        )
    if not facts.names_evaluators:
        found.append(
            _(
                "The raters have no names: a column may hold several people. So nothing is said about evaluators, and"
                " every result speaks of new prompts alone."
            )
        )
    return found
