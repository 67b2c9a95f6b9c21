"""What was declared, and what is flagged, in words."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from stats.reports.numbers import exact_percent
from stats.reports.quality_facts import Flag, QualityRules

FLAGS = {
    "known answers": gettext_lazy("known answers missed"),
    "hasty": gettext_lazy("hasty answers"),
    "straight lines": gettext_lazy("straight lines"),
    "left": gettext_lazy("left the pages"),
    "pasted": gettext_lazy("pasted text"),
}


def flag_words(flag: Flag) -> str:
    return str(FLAGS[flag])


def rule_sentences(rules: QualityRules) -> Iterator[str]:
    """Yield what was declared before the launch, for the methods text."""
    yield _("The quality control was declared before the launch.")
    if rules.training_pages:
        said = ngettext(
            "Before the first page evaluators answered %(n)d training page with feedback, which does not count.",
            "Before the first page evaluators answered %(n)d training pages with feedback, which do not count.",
            rules.training_pages,
        )
        yield said % {"n": rules.training_pages}
        if rules.training_share is not None:
            said = ngettext(
                "To begin they had to have %(share)s right, in at most %(n)d attempt.",
                "To begin they had to have %(share)s right, in at most %(n)d attempts.",
                rules.training_attempts,
            )
            yield said % {"share": exact_percent(rules.training_share), "n": rules.training_attempts}
    if rules.known_pages:
        said = ngettext(
            "%(n)d page whose right answer was known stood among the others at a drawn place, and is in no result;"
            " whoever had less than %(share)s right is flagged.",
            "%(n)d pages whose right answers were known stood among the others at drawn places, and are in no result;"
            " whoever had less than %(share)s right is flagged.",
            rules.known_pages,
        )
        yield said % {"n": rules.known_pages, "share": exact_percent(rules.known_answer_share)}
    if rules.repeats_per_subtask:
        said = ngettext(
            "%(n)d page of each sub-task came again after at least five others; the first answer counts.",
            "%(n)d pages of each sub-task came again after at least five others; the first answers count.",
            rules.repeats_per_subtask,
        )
        yield said % {"n": rules.repeats_per_subtask}
    if rules.has_flags:
        said = (
            _(
                "Evaluators are flagged who had more than %(share)s of their pages in view for less than %(seconds)d"
                " seconds, answered alike with %(pages)d or more in a row, or left meanwhile, and who pasted text."
            )
            if rules.pages_in_line
            else _(
                "Evaluators are flagged who had more than %(share)s of their pages in view for less than %(seconds)d"
                " seconds, rated alike throughout, or left meanwhile, and who pasted text."
            )
        )
        yield said % {
            "share": exact_percent(rules.flag_share),
            "seconds": rules.hasty_seconds,
            "pages": rules.pages_in_line,
        }
