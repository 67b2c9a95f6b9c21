"""Ratings from elsewhere become a closed study, once, with the report that their own study would have."""

from __future__ import annotations

import gzip
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from annotations.imports.ratings import import_ratings, take_back_ratings
from annotations.models import (
    BestChoice,
    Criterion,
    Enrolment,
    PageCandidate,
    Rating,
    RatingImport,
    RepeatedRating,
    StaffAct,
    Study,
)
from annotations.results.report import study_report
from annotations.results.report_formats import export
from annotations.tests.rating_files import LONG, found_in, long_rows, write_csv
from generation.models import Candidate, GenerationRun, Method, Prompt
from generation.refusals import Refused


def run(*files: Path, slug: str = "elsewhere", **options: Any) -> str:
    said = StringIO()
    call_command("import_ratings", *map(str, files), slug=slug, stdout=said, **options)
    return said.getvalue()


@pytest.fixture
def long_file(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "long.csv", long_rows(evaluators=7, prompts=12))


def stored() -> tuple[int, ...]:
    models = (Study, Rating, Candidate, GenerationRun, Method, Prompt, User, Enrolment, Criterion, StaffAct)
    return tuple(model._default_manager.count() for model in models)


def test_a_look_stores_nothing(db: None, long_file: Path) -> None:
    before = stored()
    said = run(long_file, dry_run=True)
    assert "168 ratings by 7 evaluators of 24 texts: 12 prompts, 2 methods." in said
    assert "Ratings of a text on a criterion: 7 to 7, median 7." in said
    assert "overall: 168 ratings from 1 to 4; scale 1 to 4 (guessed from the scores, overall)" in said
    assert "Nothing was stored" in said
    assert stored() == before


def test_a_long_table_becomes_a_closed_study_with_a_report(db: None, long_file: Path) -> None:
    run(long_file, scale=["overall=1:5"])
    study = Study.objects.get()
    assert (study.state, study.has_best_picks, study.criteria.get().maximum) == ("closed", False, 5)
    report = study_report(study)
    assert report.collected_elsewhere is not None
    assert (report.participants.recruited, report.participants.valid) == (7, 7)
    assert report.deviations_from_plan[0].startswith("The plan was written after the data")
    assert report.analysis is not None
    rows = long_rows(evaluators=7, prompts=12)[1:]
    means = [sum(row[4] for row in rows if row[2] == name) / 84 for name in ("T5", "BART")]
    [comparison] = report.analysis.comparisons
    assert (comparison.a, comparison.b) == ("T5", "BART")
    assert comparison.estimate == pytest.approx(means[1] - means[0])
    assert report.analysis.position is None


def test_methods_of_other_alphabets_keep_their_names_beside_those_of_other_studies(
    db: None, tmp_path: Path
) -> None:
    for slug, methods in (("one", ("甲", "乙")), ("other", ("丙", "丁"))):
        run(write_csv(tmp_path / f"{slug}.csv", long_rows(methods=methods)), slug=slug)
        labels = Study.objects.get(slug=slug).study_methods.values_list("method__label", flat=True)
        assert tuple(labels) == methods


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"scale": ["overall=0:inf"]}, "The scale of overall must lie between -1000000000 and 1000000000."),
        ({"scale": ["overall=-1e10:1e10"]}, "The scale of overall must lie between"),
        ({"words": "good=inf"}, "good=inf is no WORD=POINT."),
        ({"words": "good=nan"}, "good=nan is no WORD=POINT."),
    ],
)
def test_a_scale_or_a_word_without_bounds_is_refused(
    db: None, long_file: Path, options: dict[str, Any], problem: str
) -> None:
    before = stored()
    with pytest.raises(CommandError, match=problem):
        run(long_file, **options)
    assert stored() == before


def test_names_of_those_who_answered_a_form_are_bounded_too(db: None, tmp_path: Path) -> None:
    head = ("Timestamp", "Email Address", "p1 | a | fluency", "p1 | b | fluency")
    file = write_csv(tmp_path / "form.csv", [head, ("2020-01-01", "x" * 151, 1, 2)])
    with pytest.raises(CommandError, match="evaluator: is longer than 150 characters"):
        run(file)


@pytest.mark.parametrize(
    ("content", "tool"),
    [
        ([{"id": 1, "data": {}, "annotations": 5}], "Label Studio"),
        ([{"fields": [1], "responses": {"q": [{"value": 1}]}}], "Argilla"),
        ({"instance_id_to_label_to_value": [1]}, "Potato"),
    ],
)
def test_an_export_of_another_shape_is_refused(db: None, tmp_path: Path, content: Any, tool: str) -> None:
    file = tmp_path / "export.json"
    file.write_text(json.dumps(content))
    with pytest.raises(CommandError, match=f"is no export of {tool} that can be read"):
        run(file)


def test_two_names_of_one_method_are_refused(db: None, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "long.csv", long_rows(methods=("human", "Human")))
    with pytest.raises(CommandError, match="'human' and 'Human' are names of one method"):
        run(file)


def test_the_same_file_twice_changes_nothing_and_another_one_is_refused(
    db: None, long_file: Path, tmp_path: Path
) -> None:
    run(long_file)
    before = stored()
    assert "nothing has changed" in run(long_file)
    assert stored() == before
    other = write_csv(tmp_path / "other.csv", long_rows(evaluators=2))
    with pytest.raises(CommandError, match="made of something else"):
        run(other)
    with pytest.raises(CommandError, match="made of something else"):
        run(long_file, lower_is_better=["overall"])
    assert stored() == before


def test_taken_back_nothing_is_left(db: None, long_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = stored()
    run(long_file)
    monkeypatch.setattr("builtins.input", lambda _question: "no")
    with pytest.raises(CommandError, match="Nothing was taken back"):
        run(take_back=True)
    assert Rating.objects.count() == 168
    monkeypatch.setattr("builtins.input", lambda _question: "elsewhere")
    assert "168 ratings are gone" in run(take_back=True)
    assert stored() == before


def test_what_was_not_imported_cannot_be_taken_back(study: Study) -> None:
    with pytest.raises(Refused, match="were not imported"):
        take_back_ratings(study)


def test_zero_decimals_and_a_scale_of_faults_are_kept(db: None, tmp_path: Path) -> None:
    rows = [
        LONG,
        *(
            (f"e{e}", f"p{p}", m, "mqm", e / 10 + p * (m == "B"))
            for e in range(3)
            for p in range(3)
            for m in "AB"
        ),
    ]
    run(write_csv(tmp_path / "mqm.csv", rows), lower_is_better=["mqm"])
    criterion = Criterion.objects.get()
    assert (criterion.minimum, criterion.maximum, criterion.lower_is_better) == (0, 3, True)
    assert sorted(Rating.objects.values_list("score", flat=True).distinct())[:3] == [0, 0.1, 0.2]
    assert not Rating.objects.filter(off_scale=True).exists()


def test_scores_off_a_given_scale_are_refused_unless_they_are_to_be_kept(db: None, long_file: Path) -> None:
    before = stored()
    fours = sum(row[4] == 4 for row in long_rows(evaluators=7, prompts=12)[1:])
    with pytest.raises(CommandError, match=f"{fours} scores on overall are off its scale 1 to 3"):
        run(long_file, scale=["overall=1:3"])
    assert stored() == before
    run(long_file, scale=["overall=1:3"], off_scale=True)
    assert Rating.objects.filter(off_scale=True, score=4).count() == fours
    assert Rating.objects.filter(off_scale=True).count() == fours > 0


def test_the_first_of_several_scores_counts_and_the_others_tell_of_agreement_with_oneself(
    db: None, tmp_path: Path
) -> None:
    rows = long_rows(evaluators=2, prompts=5)
    again = [(*row[:4], row[4] + (number % 2)) for number, row in enumerate(rows[1:11])]
    run(write_csv(tmp_path / "twice.csv", [*rows, *again, again[0]]))
    assert Rating.objects.count() == 20
    assert RepeatedRating.objects.count() == 11
    assert RepeatedRating.objects.filter(number=3).count() == 1
    facts = study_report(Study.objects.get()).collected_elsewhere
    assert facts is not None
    [found] = facts.self_agreement
    assert (found.texts, found.identical, found.mean_difference) == (10, 0.5, 0.5)
    assert found.alpha_interval is not None


def test_methods_that_lack_prompts_and_texts_that_are_alike_are_stored(db: None, tmp_path: Path) -> None:
    rows = [(*LONG, "text"), *((*row, "Same.") for row in long_rows()[1:] if row[1:3] != ("p0", "BART"))]
    said = run(write_csv(tmp_path / "gaps.csv", rows))
    assert "! Methods without a rated text for some prompts: BART (1)." in said
    assert PageCandidate.objects.count() == 19
    assert set(Candidate.objects.values_list("text", flat=True)) == {"Same."}


def test_one_evaluator_under_two_names_and_constant_ones_are_named(db: None, tmp_path: Path) -> None:
    rows = [
        LONG,
        *((who, f"p{p}", m, "overall", 3) for who in ("Ann", "ann ", "bea") for p in range(3) for m in "AB"),
    ]
    said = run(write_csv(tmp_path / "names.csv", rows), dry_run=True)
    assert "! Ann / ann may be one evaluator" in said
    assert "! All scores on a criterion are alike by: Ann, ann, bea." in said


def test_addresses_of_people_are_not_shown(db: None, tmp_path: Path) -> None:
    rows = [LONG, *((f"{who}@example.org", "p", m, "overall", 3) for who in "ab" for m in "AB")]
    run(write_csv(tmp_path / "mail.csv", rows))
    assert list(Enrolment.objects.values_list("pseudonym", flat=True)) == ["E001", "E002"]


def test_raters_without_names_speak_for_these_prompts_alone(db: None, tmp_path: Path) -> None:
    head = ("id", "system", *(f"rater_{number}" for number in range(1, 9)))
    rows = [(f"p{p}", m, *((p + r + (m == "B")) % 5 + 1 for r in range(8))) for p in range(12) for m in "AB"]
    run(write_csv(tmp_path / "wide.csv", [head, *rows]))
    report = study_report(Study.objects.get())
    assert report.analysis is not None
    assert [choice.kind for choice in report.analysis.choices] == ["these evaluators"]


def test_pairs_are_compared_on_their_pages_and_ranked(db: None, tmp_path: Path) -> None:
    pairs = [("A", "B"), ("B", "C"), ("A", "C")]
    rows = [
        (f"e{e}", f"p{p}", *pairs[(e + p) % 3], "a" if (e * p) % 4 else "b")
        for e in range(8)
        for p in range(12)
    ]
    run(write_csv(tmp_path / "pairs.csv", [("evaluator", "prompt", "a", "b", "winner"), *rows]))
    report = study_report(Study.objects.get())
    assert report.analysis is not None
    assert [choice.kind for choice in report.analysis.choices] == ["page differences"]
    of_pair = [row for row in rows if row[2:4] == ("A", "B")]
    mean = sum(1 if row[4] == "b" else -1 for row in of_pair) / len(of_pair)
    of_both = report.analysis.comparison("preference", "A", "B").crossed
    assert of_both.cells == len(of_pair)
    # Not every evaluator compared the two equally often, so the estimate weighs them otherwise than the mean does.
    assert of_both.estimate == pytest.approx(mean, abs=0.05)
    assert report.analysis.ranking_by_rating is not None
    assert report.analysis.ranking_by_rating.methods[0].method == "A"


def test_the_poem_records_as_a_long_table_have_the_report_of_the_records(
    poem_study: Study, tmp_path: Path
) -> None:
    first = study_report(poem_study).as_dict()
    path = write_csv(tmp_path / "poems.csv", long_table(poem_study))
    found = found_in(path, scales=scales_of(poem_study), keeps_off_scale=True, threshold="0.2")
    again = import_ratings(found, slug="again", genre="poem").study
    second = study_report(again).as_dict()
    for key in ("participants", "scores_collected", "published", "best_choices", "off_scale", "comparisons", "means",
                "agreement", "ranking", "ranking_by_rating", "evaluators", "best_pick_shares", "power"):  # fmt: skip
        assert json.dumps(second[key]) == json.dumps(first[key]), key
    assert BestChoice.objects.filter(enrolment__study=again).count() > 900


def scales_of(study: Study) -> dict[str, tuple[float, float]]:
    return {one.key: (one.minimum, one.maximum) for one in study.criteria.all()}


def long_table(study: Study) -> list[tuple[Any, ...]]:
    """Return the ratings and picks of a study as a long table, pages and methods in the study's order."""
    shown = {
        row[0]: row[1:]
        for row in PageCandidate.objects.filter(page__subtask__study=study).values_list(
            "candidate",
            "page__subtask__number",
            "page__number",
            "study_method__number",
            "study_method__method__key",
        )
    }
    criteria = dict(study.criteria.values_list("pk", "key"))
    evaluators = dict(study.enrolments.values_list("pk", "pseudonym"))
    picks = set(BestChoice.objects.filter(enrolment__study=study).values_list("enrolment_id", "candidate_id"))
    given = Rating.objects.filter(enrolment__study=study)
    ratings = sorted(
        given.values_list("enrolment_id", "candidate_id", "criterion_id", "score"),
        key=lambda row: (row[0], shown[row[1]][:3], row[2]),
    )
    return [
        (*LONG, "best"),
        *(
            (
                evaluators[who],
                "{}/{}".format(*shown[text]),
                shown[text][3],
                criteria[by],
                score,
                (who, text) in picks,
            )
            for who, text, by, score in ratings
        ),
    ]


@pytest.mark.parametrize(
    ("name", "ratings", "evaluators"),
    [("dialsummeval", 16_800, 3), ("simplicity_da", 9_000, 67), ("mqm_ted_zh_en", 7_935, 9)],
)
def test_published_ratings_are_read_whole(
    reference: Path, tmp_path: Path, name: str, ratings: int, evaluators: int
) -> None:
    path = tmp_path / f"{name}.csv"
    path.write_bytes(gzip.decompress((reference / "foreign" / f"{name}.csv.gz").read_bytes()))
    found = found_in(path)
    assert (found.summary.ratings, found.summary.evaluators, found.summary.repeats) == (
        ratings,
        evaluators,
        0,
    )
    assert found.summary.pieces == (1, 1, 1)


def test_simplicity_da_has_the_difference_that_lme4_gives(db: None, reference: Path, tmp_path: Path) -> None:
    path = tmp_path / "simplicity_da.csv"
    path.write_bytes(gzip.decompress((reference / "foreign" / "simplicity_da.csv.gz").read_bytes()))
    study = import_ratings(found_in(path), slug="simplicity").study
    assert RatingImport.objects.get().summary["ratings"] == 9_000
    analysis = study_report(study).analysis
    assert analysis is not None
    # lme4 1.1-31 and lmerTest 3.1-3: Hybrid against ACCESS, the other way round here.
    result = analysis.comparison(
        "simplicity",
        *sorted(
            Method.objects.filter(key__iregex="^(hybrid|access)").values_list("key", flat=True),
            key=str.lower,
            reverse=True,
        ),
    ).crossed
    assert result.estimate == pytest.approx(25.307832, abs=1e-4)
    assert result.se == pytest.approx(3.109231, abs=1e-3)


def test_a_report_without_picks_has_no_word_of_inconsistent_pages(db: None, long_file: Path) -> None:
    run(long_file, scale=["overall=1:5"])
    study = Study.objects.get()
    report = export(study_report(study), "html").decode()
    assert "Signs of care, by evaluator" in report
    assert "Pages inconsistent" not in report
    Study.objects.update(has_best_picks=True)
    study.refresh_from_db()
    assert "Pages inconsistent" in export(study_report(study), "html").decode()
