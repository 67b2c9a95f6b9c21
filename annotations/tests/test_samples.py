"""Several texts by one method for a prompt stand on pages of their own, and count together in comparisons."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from annotations.models import Page, PageCandidate, Rating, Study
from annotations.plan.simulation import simulate_ratings
from annotations.results.rating_table import valid_table
from annotations.results.report import study_report
from annotations.results.report_formats import export
from annotations.setup.lifecycle import close_study, material_obstacles
from annotations.setup.material import material_checks
from annotations.setup.rubrics import load_rubric
from annotations.setup.runs import start_run
from annotations.setup.study import change_study, create_study
from generation.files.candidates import read_candidates
from generation.files.problems import FileRefused
from generation.refusals import Refused

PROMPTS, SAMPLES = 12, 3


def rows() -> list[dict[str, object]]:
    return [
        {
            "prompt": f"Why {number}?",
            "method": method,
            "text": f"{method} says {sample} of {number}.",
            "sample": sample,
        }
        for number in range(1, PROMPTS + 1)
        for method in ("a", "b")
        for sample in range(1, SAMPLES + 1)
    ]


def write(tmp_path: Path, found: list[dict[str, object]]) -> Path:
    path = tmp_path / "samples.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in found))
    return path


@pytest.fixture
def sampled(alice: User, tmp_path: Path) -> Study:
    study = create_study(slug="why", rubric=load_rubric("qa"), by=alice)
    call_command("upload_material", "why", str(write(tmp_path, rows())))
    return study


def texts_by_page() -> list[tuple[str, set[str]]]:
    pages = Page.objects.order_by("subtask__number", "number").select_related("prompt")
    shown = {page.pk: set() for page in pages}  # type: ignore[var-annotated]
    for page, text in PageCandidate.objects.values_list("page", "candidate__text"):
        shown[page].add(text)
    return [(page.prompt.text, shown[page.pk]) for page in pages]


def test_each_sample_has_a_page_with_one_text_by_each_method(sampled: Study) -> None:
    in_order = [
        (f"Why {number}?", {f"a says {sample} of {number}.", f"b says {sample} of {number}."})
        for sample in range(1, SAMPLES + 1)
        for number in range(1, PROMPTS + 1)
    ]
    assert texts_by_page() == in_order
    assert material_obstacles(sampled, material_checks(sampled)) == []
    change_study(sampled, by=None, prompts_per_subtask=7)
    assert texts_by_page() == in_order
    assert sampled.subtasks.count() == 6


def test_samples_without_numbers_are_told_from_doubles(tmp_path: Path) -> None:
    found = rows()
    for row in found:
        del row["sample"]
    with pytest.raises(FileRefused, match="a has a text for this prompt in line 1 already"):
        read_candidates(write(tmp_path, found), "qa")
    with pytest.raises(FileRefused, match="sample: must be a whole number from 1 to 50"):
        read_candidates(write(tmp_path, [row | {"sample": "second"} for row in rows()]), "qa")


def test_sample_that_a_method_lacks_is_missing_unless_declared(sampled: Study, tmp_path: Path) -> None:
    path = write(tmp_path, [row for row in rows() if (row["method"], row["sample"]) != ("b", 3)])
    with pytest.raises(CommandError, match=r"prompt 'Why 1\?' has no text by b"):
        call_command("upload_material", "why", str(path))


def test_export_gives_the_samples_back(sampled: Study, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    call_command("export_candidates", "why", output=output)
    again = read_candidates(output, "qa")
    assert {(row.prompt.text, row.method, row.sample, row.text) for row in again.rows} == {
        (row["prompt"], row["method"], row["sample"], row["text"]) for row in rows()
    }


def test_method_that_writes_one_text_a_prompt_cannot_join(sampled: Study) -> None:
    with pytest.raises(Refused, match="Prompts of this study stand on several pages, one for each sample"):
        start_run(sampled, "inverse_prompting")


def test_report_compares_methods_on_the_means_of_their_samples(sampled: Study) -> None:
    Study.objects.filter(slug="why").update(state="open")
    sampled.refresh_from_db()
    simulate_ratings(sampled, evaluators=8, seed=5)
    close_study(sampled)
    assert Rating.objects.count() == 8 * 4 * 2 * SAMPLES * PROMPTS
    report = study_report(sampled)
    assert report.analysis is not None
    assert (report.study.prompts, report.study.samples, report.analysis.prompts) == (36, 3, 12)
    pages = valid_table(sampled).for_criterion("overall").pages()
    evaluators = len(valid_table(sampled).evaluators)
    # Pages come by evaluator and then by sample, prompts in their order.
    scores = pages.scores.reshape(evaluators, SAMPLES, PROMPTS, 2).mean(axis=1)
    pair = report.analysis.comparison("overall", "a", "b")
    differences = scores[..., 1] - scores[..., 0]
    assert (pair.crossed.evaluators, pair.crossed.prompts) == (evaluators, PROMPTS)
    assert pair.estimate == pytest.approx(float(differences.mean()))
    by_hand = differences - differences.mean()
    assert np.isfinite(by_hand).all()
    html = export(report, "html").decode()
    assert "Methods wrote up to 3 texts for a prompt." in html


def test_table_averages_what_is_there() -> None:
    from stats.ratings.table import RatingTable
    from stats.scores import Criterion

    table = RatingTable(
        evaluator=np.array([0, 0, 0, 1]),
        prompt=np.array([0, 1, 2, 1]),
        method=np.array([0, 0, 1, 0]),
        criterion=np.array([0, 0, 0, 0]),
        score=np.array([2.0, 5.0, 4.0, 1.0]),
        evaluators=("x", "y"),
        prompts=("1/1", "1/2", "1/3"),
        methods=("a", "b"),
        criteria=(Criterion("overall", 1, 5),),
    )
    averaged = table.averaged(["p", "p", "q"])
    assert averaged.prompts == ("1/1", "1/3")
    found = zip(averaged.evaluator, averaged.prompt, averaged.method, averaged.score, strict=True)
    assert [tuple(map(float, row)) for row in found] == [(0, 0, 0, 3.5), (0, 1, 1, 4), (1, 0, 0, 1)]
