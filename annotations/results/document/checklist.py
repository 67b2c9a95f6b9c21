"""What a report says of a checklist: the items that split evaluators, and what is most likely true."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from annotations.results.document.wording import cell, count_cell, in_a_row
from stats.checklists.items import ChecklistFacts, ConsensusFacts, ItemFacts
from stats.reports.document import Block, Cell, Paragraph, Section, Table
from stats.reports.numbers import DASH, decimal, percent
from stats.reports.study_report import StudyReport

# Of a long list those that split evaluators most; JSON has all of them.
SHOWN_AT_MOST = 20


def checklist_section(report: StudyReport) -> Section | None:
    """List the items by how they split evaluators, and give the scores by the consensus."""
    found = report.checklist
    if found is None:
        return None
    blocks: list[Block] = [Paragraph(how(found)), items_table(found)]
    if found.consensus is not None:
        blocks += consensus_blocks(report, found.consensus)
    return Section("checklist", _("Checklist"), tuple(blocks))


def how(found: ChecklistFacts) -> str:
    """Say how many items there are and how the table is to be read."""
    items = ngettext(
        "The checklist has %(count)d item.", "The checklist has %(count)d items.", len(found.items)
    )
    sentences = [
        items % {"count": len(found.items)},
        _(
            "Disagreement is the chance that two evaluators answered an item differently for a text; α is"
            " Krippendorff's for nominal answers."
        ),
    ]
    if len(found.items) > SHOWN_AT_MOST:
        shown = _("The table has the %(count)d that split evaluators most.")
        sentences.append(shown % {"count": SHOWN_AT_MOST})
    return in_a_row(*sentences)


def items_table(found: ChecklistFacts) -> Table:
    rows = tuple(row_of(item) for item in found.items[:SHOWN_AT_MOST])
    head = (
        pgettext("of a checklist", "Item"), _("Prompt"), _("Answers"), pgettext("share of answers", "Yes"),
        _("Does not apply"), _("Disagreement"), _("α nominal"),
    )  # fmt: skip
    return Table(_("Items by how they split evaluators, those that do so most first"), head, rows)


def row_of(item: ItemFacts) -> tuple[Cell, ...]:
    return (
        item.text,
        item.page or _("all"),
        count_cell(item.answers),
        DASH if item.yes is None else cell(item.yes, percent(item.yes)),
        cell(item.does_not_apply, percent(item.does_not_apply)),
        DASH if item.disagreement is None else cell(item.disagreement, percent(item.disagreement)),
        cell(item.alpha),
    )


def consensus_blocks(report: StudyReport, found: ConsensusFacts) -> list[Block]:
    """Set the mean scores by the consensus beside those of the answers."""
    means = {} if report.analysis is None else {
        mean.method: mean.crossed.estimate
        for mean in report.analysis.means
        if mean.criterion == report.analysis.primary
    }  # fmt: skip
    said = _(
        "What is most likely true of each item and text was reckoned from all answers, with the errors of each"
        " evaluator (Dawid and Skene, 1979): %(yes)s yes, %(no)s no, %(does_not_apply)s does not apply. It overrules"
        " the majority for %(changed)d of %(units)d items and texts. It has no interval and decides nothing."
    ) % {
        "yes": percent(found.yes),
        "no": percent(found.no),
        "does_not_apply": percent(found.does_not_apply),
        "changed": found.changed,
        "units": found.units,
    }
    rows = tuple(
        (
            report.study.method_labels[method],
            cell(means.get(method)),
            DASH if share is None else cell(share, decimal(share)),
        )
        for method, share in found.shares.items()
    )
    head = (_("Method"), _("Mean score"), _("By the consensus"))
    return [Paragraph(said), Table(_("Mean scores, and those by the consensus of evaluators"), head, rows)]
