"""Files to begin with, beside every upload: candidates for each ready-made rubric, prompts, and people."""

from __future__ import annotations

import csv
from functools import cache

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from annotations.setup.rubrics import READY_MADE, load_rubric
from stats.reports.write_rows import CONTENT_TYPES, UTF_8_MARK, xlsx_chunks

EXAMPLES = settings.BASE_DIR / "fixtures" / "examples"
NAMES = tuple(sorted(path.stem for path in EXAMPLES.glob("*.csv")))


@cache
def examples_for(genre: str) -> tuple[str, ...]:
    """Return the examples of candidates for a kind of text: those of its rubrics, or of any where it has none."""
    rubrics = [name for name in READY_MADE if name in NAMES]
    of_genre = tuple(name for name in rubrics if load_rubric(name).genre == genre)
    return of_genre or tuple(rubrics)


@require_safe
def example_file(request: HttpRequest, name: str, file_format: str) -> HttpResponse:
    """Send an example, as CSV that a spreadsheet reads as UTF-8, or as XLSX with cells of text."""
    if name not in NAMES or file_format not in ("csv", "xlsx"):
        raise Http404
    text = (EXAMPLES / f"{name}.csv").read_text(encoding="utf-8")
    if file_format == "csv":
        content = (UTF_8_MARK + text).encode()
    else:
        head, *rows = csv.reader(text.splitlines())
        content = b"".join(xlsx_chunks(dict.fromkeys(head, "text"), [tuple(row) for row in rows]))
    return HttpResponse(
        content,
        content_type=CONTENT_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="{name}.{file_format}"'},
    )
