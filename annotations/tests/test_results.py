"""From stored answers to a report, by hand on a small study and on the published poem records."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotations.models import BestChoice, Criterion, Enrolment, PageCandidate, Placement, Rating, Study
from annotations.monitoring.evaluator_sums import sums_by_evaluator
from annotations.recruiting.enrolment import enrol
from annotations.results.document import report_document
from annotations.results.rating_table import rating_table
from annotations.results.report import study_report
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import PUBLISHED_METHODS, answer_everything, build_study, build_user


def test_the_rating_table_holds_every_answer_in_its_place(study: Study, enrolment: Enrolment) -> None:
    answer_everything(enrolment)
    enrol(study, build_user("zoe"))
    table = rating_table(study)
    assert table.evaluators == ("E001", "E002")
    assert table.prompts == ("1/1", "1/2")
    assert table.methods == ("method-0", "method-1", "method-2", "method-3")
    assert [criterion.key for criterion in table.criteria] == ["format", "overall"]
    rows = np.stack([table.evaluator, table.prompt, table.method, table.criterion, table.score], axis=1)
    assert rows.tolist() == [
        [0, page, method, criterion, method + 1.0]
        for page in range(2)
        for method in range(4)
        for criterion in range(2)
    ]
    assert (table.picks.evaluator.tolist(), table.picks.method.tolist()) == ([0, 0], [3, 3])
    assert sorted(table.picks.prompt.tolist()) == [0, 1]
    assert table.position is not None
    method_of = dict(PageCandidate.objects.values_list("candidate_id", "study_method__number"))
    of_page = table.prompt == 1
    for placement in Placement.objects.filter(enrolment=enrolment, page__number=2):
        of_text = of_page & (table.method == method_of[placement.candidate_id])
        assert set(table.position[of_text].tolist()) == {placement.position}


def test_a_report_counts_the_valid_and_names_the_others(study: Study, enrolment: Enrolment) -> None:
    answer_everything(enrolment)
    answer_everything(enrol(study, build_user("inconsistent")), best_method=0)
    enrol(study, build_user("unfinished"))
    close_study(study)
    report = study_report(study).as_dict()
    assert report["study"] | {"criteria": None} == {
        "slug": "poems",
        "title": "Poems on old themes",
        "genre": "poem",
        "text_language": "zh",
        "prompts": 2,
        "methods": ("method-0", "method-1", "method-2", "method-3"),
        "method_labels": {f"method-{n}": f"Method {n}" for n in range(4)},
        "criteria": None,
        "inconsistency_threshold": 0.2,
        "has_best_picks": True,
        "protocol": "ratings",
        "candidates_per_page": None,
        "normalisation": "prose",
        "rendering": "plain",
        "missing_texts": 0,
        "samples": 1,
        "is_closed": True,
    }
    assert report["participants"] == {
        "recruited": 3,
        "finished": 2,
        "valid": 1,
        "simulated": 0,
        "excluded": (
            {"evaluator": "E002", "reason": "inconsistent", "pages_answered": 2, "pages_inconsistent": 2},
            {"evaluator": "E003", "reason": "unfinished", "pages_answered": 0, "pages_inconsistent": 0},
        ),
    }
    assert report["scores_collected"] == 8
    assert report["published"]["means"]["method-2"] == {"format": 3.0, "overall": 3.0}
    assert report["best_choices"] == {"method-0": 0, "method-1": 0, "method-2": 0, "method-3": 2}


def test_a_study_without_picks_and_overall_criterion_has_valid_evaluators(
    study: Study, enrolment: Enrolment
) -> None:
    answer_everything(enrolment)
    BestChoice.objects.all().delete()
    Criterion.objects.update(is_overall=False)
    half = enrol(study, build_user("half"))
    answer_everything(half)
    half.best_choices.all().delete()
    half.ratings.filter(candidate__prompt__text__endswith="2").delete()
    assert [one.exclusion for one in sums_by_evaluator(study)] == ["unfinished"] * 2
    assert study_report(study).participants.valid == 0
    Study.objects.update(has_best_picks=False)
    study.refresh_from_db()
    assert [one.exclusion for one in sums_by_evaluator(study)] == [None, "unfinished"]
    assert [(one.answered, one.asked) for one in sums_by_evaluator(study)] == [(16, 16), (8, 16)]
    close_study(study)
    report = study_report(study)
    assert (report.participants.finished, report.participants.valid) == (1, 1)
    text = json.dumps(asdict(report_document(report)), default=str)
    assert "An evaluator is valid who answered everything." in text
    assert "best picks with their share" not in text


def test_the_threshold_of_the_study_decides(study: Study, enrolment: Enrolment) -> None:
    answer_everything(enrolment, best_method=0)
    assert study_report(study).participants.valid == 0
    study.inconsistency_threshold = 1
    assert study_report(study).participants.valid == 1


def test_a_study_without_evaluators_has_a_report_without_numbers(study: Study) -> None:
    report = study_report(study)
    assert report.participants.recruited == 0
    assert report.published.means["method-0"] == {"format": None, "overall": None}
    assert {test.p for test in report.published.p_values} == {None}
    json.dumps(report.as_dict(), allow_nan=False)


def test_zeros_of_a_record_are_counted_and_kept_or_taken_as_missing(
    study: Study, enrolment: Enrolment
) -> None:
    Enrolment.objects.update(source=Enrolment.Source.IMPORTED)
    answer_everything(enrolment)
    Rating.objects.filter(
        criterion__key="format",
        candidate__pagecandidate__study_method__number=0,
        candidate__pagecandidate__page__number=1,
    ).update(score=0, off_scale=True)
    kept, missing = study_report(study), study_report(study, off_scale="missing")
    assert (kept.off_scale.count, kept.off_scale.policy) == (1, "kept")
    assert (missing.off_scale.count, missing.off_scale.policy) == (1, "missing")
    assert kept.published.means["method-0"]["format"] == 0.5
    assert missing.published.means["method-0"]["format"] == 1.0
    assert kept.participants == missing.participants


def test_an_unknown_policy_is_refused(study: Study) -> None:
    with pytest.raises(ValueError, match="off_scale must be one of kept, missing"):
        study_report(study, off_scale="dropped")  # type: ignore[arg-type]


@pytest.mark.parametrize("prompts", [2, 20])
def test_the_number_of_queries_does_not_grow_with_the_study(
    db: None, prompts: int, django_assert_num_queries: Any
) -> None:
    study = build_study(prompts=prompts)
    answer_everything(enrol(study, build_user("alice")))
    close_study(study)
    with django_assert_num_queries(25):
        study_report(study)


def test_the_published_records_give_the_published_tables(poem_study: Study, reference: Path) -> None:
    printed = json.loads((reference / "paper_tables.json").read_text())
    golden = json.loads((reference / "stats_golden_poem.json").read_text())["tasks"]["poem"]
    report = study_report(poem_study).as_dict()

    people = printed["table1_participants"]["poem generation"]
    for step in ("recruited", "finished", "valid"):
        assert report["participants"][step] == people[step]
    assert report["participants"]["excluded"] == (
        {"evaluator": "tester8", "reason": "unfinished", "pages_answered": 70, "pages_inconsistent": 16},
    )
    assert report["scores_collected"] == people["scores_collected"]
    assert report["off_scale"] == {"count": golden["counts"]["zero_ratings_valid_set"], "policy": "kept"}

    table = printed["table3_10_poem"]
    wrong = []
    for statistic, name in (("means", "mean"), ("deviations", "deviation")):
        for method, cells in table[name].items():
            for criterion, cell in zip(table["aspects"], cells, strict=True):
                value = report["published"][statistic][method][criterion]
                if round(value, 2) != cell:
                    wrong.append((statistic, method, criterion, round(value, 4)))
    assert wrong == [("deviations", "inverse_prompting_st", "innovation", 0.2677)]


def test_the_published_records_give_every_golden_p_value_and_best_choice(
    poem_study: Study, reference: Path
) -> None:
    golden = json.loads((reference / "stats_golden_poem.json").read_text())["tasks"]["poem"]
    report = study_report(poem_study).as_dict()
    p_values = {
        (test["a"], test["b"], test["criterion"]): test["p"] for test in report["published"]["p_values"]
    }
    assert len(p_values) == 4 * 3 * 5
    for criterion, pairs in golden["pairs"].items():
        for pair in pairs.values():
            expected = pair["legacy_paper_formula"]["one_sided_p_full_precision"]
            # The golden value is that of the null hypothesis against which the difference speaks.
            better, worse = ("b", "a") if pair["diff"] > 0 else ("a", "b")
            found = p_values[
                PUBLISHED_METHODS[pair[worse]], PUBLISHED_METHODS[pair[better]], criterion.lower()
            ]
            assert found == pytest.approx(expected, rel=1e-9)
    assert round(p_values["jiuge", "inverse_prompting_st", "overall"], 4) == 0.0009
    assert report["best_choices"] == {
        PUBLISHED_METHODS[method]: picks["count"] for method, picks in golden["best_pick"].items()
    }
