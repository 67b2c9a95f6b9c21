"""The report of a study in the formats it is exported in."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string

from annotations.results.document import report_document
from stats.reports.latex import latex
from stats.reports.pdf import pdf
from stats.reports.study_report import StudyReport
from stats.reports.tables import tidy_csv
from stats.reports.workbook import workbook


def report_json(report: StudyReport) -> bytes:
    """Return every number of the report as JSON; an undefined one is null, never NaN."""
    return (json.dumps(report.as_dict(), ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def report_html(report: StudyReport) -> bytes:
    """Return the report as one file that needs no other: its style sheets and figures are inside."""
    sheets = []
    for name in ("evalsite/site.css", "annotations/report.css"):
        path = finders.find(name)
        if path is None:
            raise FileNotFoundError(f"static file {name}")
        sheets.append(Path(path).read_text(encoding="utf-8"))
    context = {"document": report_document(report), "styles": "\n".join(sheets)}
    return render_to_string("annotations/results/report_file.html", context).encode()


def report_csv(report: StudyReport) -> bytes:
    """Return the report as a tidy table."""
    return tidy_csv(report)


def report_latex(report: StudyReport) -> bytes:
    """Return the report as LaTeX, ready to input."""
    return latex(report_document(report)).encode()


def report_pdf(report: StudyReport) -> bytes:
    """Return the report as PDF."""
    return pdf(report_document(report))


def report_workbook(report: StudyReport) -> bytes:
    """Return the report's tables as XLSX."""
    return workbook(report_document(report))


@dataclass(frozen=True)
class Format:
    """How a report is written in one format, and what it is sent as."""

    content_type: str
    write: Callable[[StudyReport], bytes]


FORMATS = {
    "json": Format("application/json; charset=utf-8", report_json),
    "html": Format("text/html; charset=utf-8", report_html),
    "pdf": Format("application/pdf", report_pdf),
    "tex": Format("application/x-tex; charset=utf-8", report_latex),
    "xlsx": Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", report_workbook),
    "csv": Format("text/csv; charset=utf-8", report_csv),
}


def export(report: StudyReport, file_format: str) -> bytes:
    """Return the report in one of `FORMATS`."""
    if file_format not in FORMATS:
        raise ValueError(f"file_format must be one of {', '.join(FORMATS)}; got {file_format!r}")
    return FORMATS[file_format].write(report)
