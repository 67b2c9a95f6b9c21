"""The part of a report on what a paper should say of the study."""

from __future__ import annotations

from django.utils.translation import gettext as _

from stats.reports.document import Paragraph, Section, Table
from stats.reports.study_report import StudyReport


def reporting_section(report: StudyReport) -> Section | None:
    """Number what a paper should report, with where it is said."""
    if not report.reportable:
        return None
    said = sum(one.is_said for one in report.reportable)
    note = _(
        "%(said)d of %(all)d are said by the site. The list is ours, after HEDS and the subject of ‘Illusions of the"
        " Gold Standard’ (arXiv 2606.07936)."
    ) % {"said": said, "all": len(report.reportable)}
    return Section(
        "reporting",
        _("What a paper should report"),
        (
            Paragraph(note),
            Table(
                _("Twenty things to be reported, and where they are said"),
                (_("Number"), _("To be reported"), _("Said"), _("Where")),
                tuple(
                    (str(one.number), one.what, _("yes") if one.is_said else _("no"), one.where)
                    for one in report.reportable
                ),
            ),
        ),
        is_folded=True,
    )
