"""What is said of files of ratings before they are stored, on the page and by the command alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations import counted
from annotations.imports.ratings import FoundRatings
from generation.files.problems import listed
from stats.reports.numbers import count

if TYPE_CHECKING:
    from annotations.imports.rating_summary import CriterionFound, Summary


def summary_lines(found: FoundRatings) -> list[str]:
    """Return everything that is to be seen before storing: how the columns are read, counts, and warnings."""
    names = listed(one.name for one in found.files)
    read = "; ".join(f"{role} = {listed(columns)}" for role, columns in found.reading.columns.items())
    return [
        (_("%(files)s, an export of %(tool)s") if found.tool else "%(files)s")
        % {"files": names, "tool": found.tool},
        _("Read as: %(columns)s.") % {"columns": read},
        *count_lines(found.summary),
        *(criterion_line(one) for one in found.summary.criteria),
        *(f"! {line}" for line in warning_lines(found.summary, hides_names=found.reading.hides_names)),
    ]


def count_lines(found: Summary) -> list[str]:
    """Return the counts in sentences."""
    lines = [
        _(
            "%(ratings)s by %(evaluators)s of %(texts)s: %(prompts)s, %(methods)s."
        )
        % {
            "ratings": counted.ratings(found.ratings), "evaluators": counted.evaluators(found.evaluators),
            "texts": counted.texts(found.texts), "prompts": counted.prompts(found.prompts),
            "methods": counted.methods(len(found.methods)),
        },
        _("Methods: %(methods)s.") % {"methods": shortly(found.methods)},
        _("Ratings of a text on a criterion: %(least)s to %(most)s, median %(median)s.")
        % spread(found.ratings_a_text),
        _("Ratings by an evaluator: %(least)s to %(most)s, median %(median)s.")
        % spread(found.ratings_an_evaluator),
        _("Pages on which an evaluator rated all methods of the prompt: %(share).0f %%.")
        % {"share": 100 * found.whole_pages},
        connection_line(found),
    ]  # fmt: skip
    if found.picks:
        lines.append(
            ngettext("%(count)s best pick.", "%(count)s best picks.", found.picks)
            % {"count": count(found.picks)}
        )
    if found.repeats:
        lines.append(
            ngettext(
                "%(count)s score is given again by the same evaluator: the first counts, the other tells how far"
                " evaluators agree with themselves.",
                "%(count)s scores are given again by the same evaluator: the first counts, the others tell how far"
                " evaluators agree with themselves.",
                found.repeats,
            ) % {"count": count(found.repeats)}
        )  # fmt: skip
    if found.missing:
        lines.append(
            ngettext("%(count)s score is not there.", "%(count)s scores are not there.", found.missing)
            % {"count": count(found.missing)}
        )
    if found.texts_given < found.texts:
        lines.append(
            ngettext(
                "%(count)s text did not come with its ratings.",
                "%(count)s texts did not come with their ratings.",
                found.texts - found.texts_given,
            )
            % {"count": count(found.texts - found.texts_given)}
        )
    return lines


def spread(of: tuple[int, float, int]) -> dict[str, str]:
    """Return the least, the median and the most in words."""
    least, median, most = of
    middle = count(int(median)) if median == int(median) else f"{median:,.1f}"
    return {"least": count(least), "median": middle, "most": count(most)}


def connection_line(found: Summary) -> str:
    """Say whether the ratings hang together."""
    evaluators_prompts, evaluators_methods, prompts_methods = found.pieces
    if max(found.pieces) == 1:
        return _("All evaluators, prompts and methods are connected.")
    return _(
        "Evaluators and prompts fall into %(ep)d parts that share nothing, evaluators and methods into %(em)d, prompts"
        " and methods into %(pm)d: what lies in different parts is compared with less certainty, or not at all."
    ) % {"ep": evaluators_prompts, "em": evaluators_methods, "pm": prompts_methods}


def criterion_line(one: CriterionFound) -> str:
    """Say by which scale a criterion is read."""
    line = _("%(label)s: %(ratings)s from %(lowest)g to %(highest)g; scale %(minimum)g to %(maximum)g") % {
        "label": one.label, "ratings": counted.ratings(one.ratings), "lowest": one.lowest, "highest": one.highest,
        "minimum": one.minimum, "maximum": one.maximum,
    }  # fmt: skip
    notes = [
        *([_("guessed from the scores")] if one.is_guessed else ()),
        *([_("lower is better")] if one.lower_is_better else ()),
        *([_("overall")] if one.is_overall else ()),
        *(
            [_("%(count)s off the scale, kept and flagged") % {"count": count(one.off_scale)}]
            if one.off_scale
            else ()
        ),
    ]
    return f"{line} ({listed(notes)})" if notes else line


def warning_lines(found: Summary, *, hides_names: bool) -> list[str]:
    """Return what makes one look twice."""
    lines = [
        _("%(names)s may be one evaluator: the names differ in case or blanks alone.")
        % {"names": " / ".join(names)}
        for names in found.alike
    ]
    if found.constant:
        lines.append(
            _("All scores on a criterion are alike by: %(names)s.") % {"names": shortly(found.constant)}
        )
    if found.unshared:
        pairs = "; ".join(f"{a} – {b}" for a, b in found.unshared)
        lines.append(_("No evaluator rated both of: %(pairs)s.") % {"pairs": pairs})
    if found.methods_lacking_prompts:
        lacking = [f"{name} ({count})" for name, count in found.methods_lacking_prompts]
        lines.append(
            _("Methods without a rated text for some prompts: %(methods)s.") % {"methods": shortly(lacking)}
        )
    if not found.names_evaluators:
        lines.append(_("The raters have no names, so nothing will be said about evaluators."))
    if hides_names:
        lines.append(_("The evaluators will be called E001, E002 and so on."))
    return lines


def shortly(names: Sequence[str], most: int = 20) -> str:
    """Return names in a row, the first of many."""
    rest = [_("and %(count)d more") % {"count": len(names) - most}] if len(names) > most else []
    return listed([*names[:most], *rest])
