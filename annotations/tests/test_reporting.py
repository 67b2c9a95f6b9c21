"""The words of a report: what is said of a result depends on its interval, not on its p-value alone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import translation

from annotations.models import Enrolment, Study
from annotations.plan.simulation import Effects, simulate_ratings
from annotations.results.document import report_document
from annotations.results.document.wording import comparison_sentence, interval
from annotations.results.report import study_report
from annotations.tests.cast import PUBLISHED_METHODS, build_study
from stats.ratings.cells import PairedRatings
from stats.reports.document import Document, Paragraph, Table
from stats.reports.numbers import decimal, p_number, signed
from stats.significance import Comparison, compare, with_holm

LABELS = {"a": "Jiuge", "b": "IP+ST"}
NBSP = "\N{NO-BREAK SPACE}"


def comparison(
    difference: float, spread: float, *, evaluators: int = 10, margin: float | None = None
) -> Comparison:
    rng = np.random.default_rng(5)
    first = np.round(5 + rng.normal(0, 1, (evaluators, 40)))
    second = first + np.round(
        difference + spread * rng.normal(0, 1, (evaluators, 1)) + rng.normal(0, 1, (evaluators, 40))
    )
    return with_holm(
        [compare(PairedRatings.of_tables(first, second), criterion="overall", a="a", b="b", margin=margin)]
    )[0]


def said(one: Comparison) -> str:
    return comparison_sentence(one, LABELS).replace(NBSP, " ")


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.158, ".16"),
        (0.0432, ".043"),
        (0.00094, "< .001"),
        (0.0009999, "< .001"),
        (0.996, "1"),
        (1.0, "1"),
        (None, "–"),
    ],
)
def test_p_values_are_written_as_journals_print_them(p: float | None, text: str) -> None:
    assert p_number(p) == text


def test_numbers_have_a_typographic_minus_and_a_dash_where_undefined() -> None:
    assert (decimal(-0.126), signed(0.826), signed(-0.38), decimal(None)) == ("−0.13", "+0.83", "−0.38", "–")
    assert interval((-0.38, 2.03), with_sign=True).replace(NBSP, " ") == "−0.38 to +2.03"


def test_an_interval_that_covers_zero_is_no_established_difference_and_never_no_difference() -> None:
    sentence = said(comparison(0.5, 1.5))
    assert sentence.startswith("Across new evaluators and new prompts like these, IP+ST scored ")
    assert "The data do not establish a difference; effects from " in sentence
    assert "no difference" not in sentence


def test_a_clear_difference_is_said_with_the_sign_of_the_table() -> None:
    sentence = said(comparison(-3.0, 0.3))
    assert re.search(
        r"IP\+ST scored 2\.85 points lower than Jiuge \(95 % CI −\d\.\d\d to −\d\.\d\d;", sentence
    )
    assert "The data establish a difference." in sentence


def test_comparable_is_said_only_within_a_margin_set_beforehand() -> None:
    assert "comparable" not in said(comparison(0.0, 0.1))
    assert "comparable within the margin of 1.00 points" in said(comparison(0.0, 0.1, margin=1.0))
    assert "comparable" not in said(comparison(3.0, 0.1, margin=1.0))


def test_few_evaluators_are_described_and_not_tested() -> None:
    sentence = said(comparison(1.0, 0.3, evaluators=5))
    assert "it is no test" in sentence
    assert "p =" not in sentence


@pytest.fixture
def simulated(db: None) -> Study:
    study = build_study(prompts=12)
    simulate_ratings(study, evaluators=8, seed=1, effects=Effects(slip=0))
    return study


def words(document: Document) -> str:
    return json.dumps([list(section.blocks) for section in document.sections], default=str)


def test_every_section_is_there_in_both_languages(simulated: Study) -> None:
    keys = [
        "summary", "participants", "primary", "means", "comparisons", "robustness", "agreement", "position",
        "ranking",
        "cases", "evaluators", "power", "published", "methods", "plan", "reporting",
    ]  # fmt: skip
    report = study_report(simulated)
    english = report_document(report)
    assert [section.key for section in english.sections] == keys
    with translation.override("zh-hans"):
        chinese = report_document(study_report(simulated))
    assert [section.key for section in chinese.sections] == keys
    assert chinese.language == "zh"
    assert all(
        one.title != other.title for one, other in zip(english.sections, chinese.sections, strict=True)
    )


def test_simulated_ratings_are_called_simulated_first_of_all(simulated: Study) -> None:
    first = report_document(study_report(simulated)).sections[0].blocks[0]
    assert first == Paragraph(
        "8 evaluators are simulated: these are not results about people.", is_notice=True
    )


def test_no_number_in_a_report_is_nan(simulated: Study) -> None:
    assert "nan" not in words(report_document(study_report(simulated))).lower()
    json.dumps(study_report(simulated).as_dict(), allow_nan=False)


def test_results_without_exclusions_are_given_where_there_are_any(simulated: Study) -> None:
    assert study_report(simulated).without_exclusions == ()
    Study.objects.update(inconsistency_threshold=0)
    simulate_ratings(simulated, evaluators=2, seed=2, effects=Effects(slip=1))
    simulated.refresh_from_db()
    report = study_report(simulated)
    assert len(report.without_exclusions) == 6
    assert report.without_exclusions[0].crossed.evaluators == 10
    assert report.analysis is not None
    assert report.analysis.evaluators == 8


def test_case_pages_show_a_prompt_with_its_methods_and_means(
    simulated: Study, client: Client, carol: User
) -> None:
    client.force_login(carol)
    page = client.get(reverse("annotations:prompts", args=["poems"]), {"sort": "fail", "method": "method-0"})
    assert page.content.decode().count("/results/prompts/1/") >= 10
    page = client.get(reverse("annotations:prompt", args=["poems", 1, 2]))
    assert "Method 3" in page.content.decode()


def test_the_number_of_queries_of_the_case_pages_is_constant(
    simulated: Study, client: Client, carol: User, django_assert_num_queries: Any
) -> None:
    client.force_login(carol)
    for name, arguments, queries in (("prompts", [], 14), ("prompt", [1, 1], 16)):
        with django_assert_num_queries(queries):
            client.get(reverse(f"annotations:{name}", args=["poems", *arguments]))


@pytest.mark.parametrize("query", [{"sort": "luck"}, {"method": "nobody"}])
def test_an_unknown_order_is_not_found(
    simulated: Study, client: Client, carol: User, query: dict[str, str]
) -> None:
    client.force_login(carol)
    assert client.get(reverse("annotations:prompts", args=["poems"]), query).status_code == 404


def test_evaluators_find_no_case_pages(simulated: Study, client: Client, alice: User) -> None:
    client.force_login(alice)
    for name, arguments in (("prompts", []), ("prompt", [1, 1])):
        assert client.get(reverse(f"annotations:{name}", args=["poems", *arguments])).status_code == 404


def test_a_sealed_study_shows_no_cases(
    study: Study, enrolment: Enrolment, client: Client, carol: User
) -> None:
    client.force_login(carol)
    for name, arguments in (("prompts", []), ("prompt", [1, 1])):
        page = client.get(reverse(f"annotations:{name}", args=["poems", *arguments])).content.decode()
        assert "sealed" in page
        assert "Method" not in page


def test_the_published_study_is_reported_in_the_words_of_its_interval(poem_study: Study) -> None:
    report = study_report(poem_study)
    assert report.analysis is not None
    labels = report.study.method_labels | {"inverse_prompting_st": "IP+ST"}
    sentence = comparison_sentence(
        report.analysis.comparison("overall", "jiuge", "inverse_prompting_st"), labels
    ).replace(NBSP, " ")
    assert sentence == (
        "Across new evaluators and new prompts like these, IP+ST scored 0.83 points higher than Jiuge"
        " (95 % CI −0.38 to +2.03; p = .16, Holm .32). The data do not establish a difference;"
        " effects from −0.4 to +2.0 remain plausible."
    )


def test_the_json_of_the_published_study_has_the_golden_comparisons(
    poem_study: Study, reference: Path
) -> None:
    golden = json.loads((reference / "stats_golden_poem.json").read_text())["tasks"]["poem"]["pairs"][
        "Overall"
    ]
    report = study_report(poem_study).as_dict()
    found = {
        frozenset((one["a"], one["b"])): one for one in report["comparisons"] if one["criterion"] == "overall"
    }
    assert len(found) == 6
    for pair in golden.values():
        one = found[frozenset((PUBLISHED_METHODS[pair["a"]], PUBLISHED_METHODS[pair["b"]]))]
        sign = 1 if one["a"] == PUBLISHED_METHODS[pair["a"]] else -1
        assert one["estimate"] == pytest.approx(sign * pair["diff"], abs=1e-9)
        assert one["p"] == pytest.approx(pair["crossed"]["p_two"], rel=1e-9)
        assert one["p_holm"] == pytest.approx(pair["holm_crossed_p_two"], rel=1e-9)


def test_tables_of_the_report_have_a_caption_each(simulated: Study) -> None:
    for _, table in report_document(study_report(simulated)).tables():
        assert isinstance(table, Table)
        assert table.caption
