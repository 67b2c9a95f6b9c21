"""A study's report as a document in the reader's language."""

from __future__ import annotations

from typing import Literal

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from annotations.results.document import (
    appendix,
    checklist,
    checks,
    elsewhere,
    findings,
    groups,
    judges,
    preferences,
    quality,
    reporting,
    robustness,
    slices,
    spans,
    summary,
    turns,
    with_judge,
)
from stats.reports.document import Document, Section
from stats.reports.study_report import StudyReport


def report_document(report: StudyReport) -> Document:
    """Return the report in the active language; the sections that need numbers by method only where there are any."""
    language: Literal["en", "zh"] = "zh" if (get_language() or "").startswith("zh") else "en"
    sections: list[Section | None] = [
        elsewhere.elsewhere_section(report),
        summary.summary_section(report),
        findings.participants_section(report),
    ]
    analysis = report.analysis
    if analysis is not None:
        sections += [
            findings.primary_section(report, analysis),
            findings.means_section(report, analysis),
            findings.secondary_section(report, analysis),
            robustness.robustness_section(report, analysis),
            robustness.exclusions_section(report, analysis),
            robustness.agreement_section(report, analysis),
            checks.position_section(report, analysis),
            checks.ranking_section(report, analysis),
            preferences.preferences_section(report),
            checklist.checklist_section(report),
            spans.spans_section(report),
            turns.turns_section(report),
            slices.slices_section(report, analysis),
            groups.groups_section(report, analysis),
            with_judge.combined_section(report),
            judges.checks_section(report),
            appendix.cases_section(report),
            checks.evaluators_section(report, analysis),
            checks.power_section(report, analysis),
            appendix.published_section(report),
            appendix.methods_section(report, analysis),
        ]
    sections += [
        quality.quality_section(report),
        appendix.plan_section(report),
        reporting.reporting_section(report),
    ]
    return Document(
        title=_("Results of %(title)s") % {"title": report.study.title},
        language=language,
        text_language=report.study.text_language,
        sections=tuple(section for section in sections if section is not None),
    )
