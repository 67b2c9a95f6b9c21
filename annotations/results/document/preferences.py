"""What a report says of comparisons of texts: strengths, what moves them, and how much holds the first place up."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from annotations import counted
from annotations.results.document.wording import cell, count_cell, in_a_row, p_cell
from generation.files.problems import listed
from stats.comparisons.preferences import Preferences
from stats.reports.document import Block, Cell, Paragraph, Section, Table
from stats.reports.numbers import DASH, decimal, p_number, percent, signed
from stats.reports.study_report import StudyReport


def preferences_section(report: StudyReport) -> Section | None:
    """Rank the methods by the texts that shared a page."""
    found = report.preferences
    if found is None:
        return None
    blocks: list[Block] = [
        Paragraph(how(found)),
        strengths_table(report, found),
        Paragraph(in_a_row(*sentences(report, found))),
    ]
    flip = found.judgements_to_flip
    if flip is not None and flip.is_fragile:
        blocks.append(
            Paragraph(
                _("The first place is fragile: fewer than one comparison in a hundred holds it up."),
                is_notice=True,
            )
        )
    if found.effects:
        blocks.append(effects_table(found))
    if found.best_worst:
        blocks += best_worst_blocks(report, found)
    return Section("preferences", _("Ranking from comparisons"), tuple(blocks))


def how(found: Preferences) -> str:
    """Say how the strengths were made."""
    text = _(
        "Of two texts that shared a page one was better, or neither: %(comparisons)s on %(pages)s,"
        " %(ties)s of them ties. Strengths are log odds by Bradley and Terry, with ties by Davidson; their errors allow"
        " for evaluators and prompts."
    ) % {
        "comparisons": counted.comparisons(found.comparisons),
        "pages": counted.pages(found.pages),
        "ties": percent(found.ties / found.comparisons),
    }
    if found.adjusted_for:
        text = in_a_row(
            text,
            _("They stand without and with what is known of the texts: %(names)s.")
            % {"names": listed(covariate_names()[name] for name in found.adjusted_for)},
        )
    else:
        text = in_a_row(text, _("By the plan they are adjusted for nothing."))
    if found.is_regularised:
        text = in_a_row(
            text,
            _("All comparisons are ties, so half a win each way was added to every pair of methods.")
            if found.ties == found.comparisons
            else _(
                "A method won or lost all its comparisons, so half a win each way was added to every pair of methods."
            ),
        )
    return text


def strengths_table(report: StudyReport, found: Preferences) -> Table:
    """Give the strengths with their ranks, without and with what is known of the texts."""
    labels = report.study.method_labels
    has_luce = any(one.luce is not None for one in found.strengths)
    head = [
        _("Method"), _("Strength"), _("SE"), _("Ranks"), _("Strength, adjusted"), _("SE"), _("Rank, adjusted"),
    ]  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for one in found.strengths:
        ranks = str(one.rank_low) if one.rank_low == one.rank_high else f"{one.rank_low}{DASH}{one.rank_high}"
        cells: list[Cell] = [
            labels[one.method],
            cell(one.strength, signed(one.strength)),
            cell(one.se),
            ranks,
            cell(one.strength_adjusted, signed(one.strength_adjusted)),
            cell(one.se_adjusted),
            count_cell(one.rank_adjusted),
        ]
        rows.append((*cells, cell(one.luce, signed(one.luce))) if has_luce else tuple(cells))
    if has_luce:
        head.append(_("Strength by successive choices (Plackett-Luce)"))
    return Table(
        _("Strengths (log odds) with the ranks that the comparisons leave open"), tuple(head), tuple(rows)
    )


def sentences(report: StudyReport, found: Preferences) -> list[str]:
    """Say whether the order is another when adjusted, what holds the first place up, and whether there are circles."""
    labels = report.study.method_labels
    said = []
    if found.adjusted_for:
        said.append(
            _(
                "Adjusted, the order of the methods is another: what is known of the texts explains part of it."
            )
            if found.order_changes
            else _("Adjusted, the order of the methods is the same.")
        )
    flip = found.judgements_to_flip
    if flip is not None:
        said.append(
            _(
                "The first place of %(first)s falls to %(second)s without %(judgements)d of %(all)s, and"
                " perhaps without fewer."
            )
            % {
                "first": labels[flip.first],
                "second": labels[flip.second],
                "judgements": flip.judgements,
                "all": counted.comparisons(flip.all_judgements),
            }
        )
    said.append(
        ngettext(
            "%(count)d triad of methods is preferred in a circle, %(clear)d beyond chance.",
            "%(count)d triads of methods are preferred in a circle, %(clear)d beyond chance.",
            found.circles,
        )
        % {"count": found.circles, "clear": len(found.circles_beyond_chance)}
    )
    for one in found.circles_beyond_chance:
        ring = " > ".join(labels[method] for method in (*one.methods, one.methods[0]))
        said.append(_("%(circle)s (p = %(p)s, Bonferroni).") % {"circle": ring, "p": p_number(one.p)})
    return said


def covariate_names() -> dict[str, str]:
    """Return what strengths can be adjusted for, in words."""
    return {
        "first": _("shown first"),
        "length": _("length (logarithm)"),
        "marks": _("Markdown marks (logarithm)"),
    }


def effects_table(found: Preferences) -> Table:
    """Give by how much what is known of a text raises its odds."""
    names = covariate_names()
    rows = tuple(
        (names[one.name], cell(one.gamma, signed(one.gamma)), cell(one.se), p_cell(one.p))
        for one in found.effects
    )
    left = tuple(
        (names[name], _("says nothing of its own, or decides every answer"), DASH, DASH)
        for name in found.left_out
    )
    return Table(
        _("What raises the log odds of a text"),
        (_("Of the text"), pgettext("of a text", "Effect"), _("SE"), "p"),
        rows + left,
    )


def best_worst_blocks(report: StudyReport, found: Preferences) -> list[Block]:
    """Count the best and the worst of each method, and say how reliable they are."""
    labels = report.study.method_labels
    said = _("not to be computed here") if found.split_half is None else f"r = {decimal(found.split_half)}"
    return [
        Table(
            _("Best and worst texts"),
            (_("Method"), _("Shown"), _("Best"), _("Worst"), _("(Best − worst) / shown")),
            tuple(
                (
                    labels[one.method],
                    count_cell(one.shown),
                    count_cell(one.best),
                    count_cell(one.worst),
                    cell(one.score, signed(one.score)),
                )
                for one in found.best_worst
            ),
        ),
        Paragraph(
            _("Reliability of the texts' scores, over 100 random halves of the evaluators: %(r)s.")
            % {"r": said}
        ),
    ]
