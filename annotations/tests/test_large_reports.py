"""Reports of studies with many methods and criteria stay readable, and say what they leave out."""

from __future__ import annotations

import csv
from itertools import product
from pathlib import Path

import pytest

import stats.analysis
from annotations.imports.rating_columns import Reading
from annotations.imports.ratings import NamedFile, find_ratings, import_ratings
from annotations.models import Study
from annotations.results.document import report_document
from annotations.results.report import study_report
from stats.reports.document import Figure, Paragraph, Section


@pytest.fixture
def many(db: None, tmp_path: Path) -> Study:
    """Six evaluators, ten prompts, nine methods, ten criteria."""
    path = tmp_path / "ratings.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["evaluator", "prompt", "method", "criterion", "score"])
        for e, p, m, c in product(range(6), range(10), range(9), range(10)):
            writer.writerow(
                [
                    f"rater {e}",
                    f"prompt {p}",
                    f"method {m}",
                    f"criterion {c}",
                    1 + (3 * e + 5 * p + m * m + c) % 5,
                ]
            )
    import_ratings(find_ratings([NamedFile(path, path.name)], Reading()), slug="many")
    return Study.objects.get(slug="many")


def words(section: Section) -> str:
    return " ".join(block.text for block in section.blocks if isinstance(block, Paragraph))


def test_many_pairs_are_summed_up_and_the_first_criteria_are_drawn(
    many: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stats.analysis, "MOST_COMPARISONS", 100)
    sections = {section.key: section for section in report_document(study_report(many)).sections}
    assert " of 36 pairs (Holm p < .05)" in words(sections["primary"])
    assert "scored" not in words(sections["primary"])
    assert "Across new evaluators and new prompts like these, the data" in words(sections["summary"])
    figure = next(block for block in sections["means"].blocks if isinstance(block, Figure))
    assert "on 8 of 10 criteria" in figure.caption
    # 100 // 36 criteria, the primary one among them.
    assert "8 criteria have means and agreement alone" in words(sections["comparisons"])
