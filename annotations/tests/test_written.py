"""Reasons and corrected texts: written where the study lets one, saved at once, and no version is ever lost."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from annotations.models import Enrolment, Study, WrittenAnswer
from annotations.questionnaire.saving import AnotherAccount, Closed, PageAddress, Paused, UnknownPlace
from annotations.questionnaire.written.saving import BadText, SentText, save_text
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.withdrawal import withdraw
from annotations.results.written.cases import text_changes
from annotations.results.written.rows import COLUMNS, written_rows
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import build_study, placements

PAGE = "/studies/poems/subtasks/1/pages/1/"
ADDRESS = PageAddress("poems", 1, 1)


@pytest.fixture
def tokens(alice: User) -> list[str]:
    """The texts of alice's first page of a study in which reasons and corrections of each text may be written."""
    study = build_study()
    Study.objects.update(reasons="candidate", has_corrections=True)
    enrol(study, alice)
    return [placement.token for placement in placements(study, alice)]


def versions() -> list[tuple[str, str, int]]:
    return list(WrittenAnswer.objects.order_by("pk").values_list("kind", "text", "client_order"))


def test_each_version_is_kept_and_the_latest_counts(tokens: list[str], alice: User) -> None:
    for _ in range(2):
        receipt = save_text(alice, ADDRESS, SentText(tokens[0], "reason", "It scans.", 5))
        assert (receipt.text, receipt.client_order, receipt.is_latest) == ("It scans.", 5, True)
    late = save_text(alice, ADDRESS, SentText(tokens[0], "reason", "Older words.", 3))
    assert (late.text, late.client_order, late.is_latest) == ("It scans.", 5, False)
    save_text(alice, ADDRESS, SentText(tokens[0], "reason", "It scans well.", 8))
    again = save_text(alice, ADDRESS, SentText(tokens[0], "reason", "It scans.", 5))
    assert (again.text, again.is_latest) == ("It scans well.", False)
    assert versions() == [
        ("reason", "It scans.", 5),
        ("reason", "Older words.", 3),
        ("reason", "It scans well.", 8),
    ]


def test_an_empty_text_takes_what_was_written_back_and_nothing_is_no_version(
    tokens: list[str], alice: User
) -> None:
    nothing = save_text(alice, ADDRESS, SentText(tokens[0], "reason", "", 1))
    assert (nothing.text, nothing.is_latest) == ("", True)
    assert versions() == []
    save_text(alice, ADDRESS, SentText(tokens[0], "reason", "Words.", 2))
    assert save_text(alice, ADDRESS, SentText(tokens[0], "reason", "", 3)).text == ""
    assert len(versions()) == 2
    close_study(Study.objects.get())
    assert list(written_rows(Study.objects.get())) == []


def test_a_corrected_text_is_stored_as_it_was_given(tokens: list[str], alice: User) -> None:
    text = "  山中一夜雨，\n\n树杪百重泉。 \t"
    save_text(alice, ADDRESS, SentText(tokens[1], "correction", text, 1))
    stored = WrittenAnswer.objects.get()
    assert stored.text == text
    assert stored.candidate == placements(Study.objects.get(), alice)[1].candidate


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"text": "x" * 5_001}, BadText),
        ({"kind": "correction", "text": "x" * 50_001}, BadText),
        ({"text": "a\x00b"}, BadText),
        ({"kind": "note"}, UnknownPlace),
        ({"token": "nobody"}, UnknownPlace),
    ],
)
def test_what_cannot_be_stored_is_refused_and_changes_nothing(
    tokens: list[str], alice: User, fields: dict[str, Any], refusal: type[Exception]
) -> None:
    sent: dict[str, Any] = {
        "token": tokens[0],
        "kind": "reason",
        "text": "Words.",
        "client_order": 1,
    } | fields
    with pytest.raises(refusal):
        save_text(alice, ADDRESS, SentText(**sent))
    assert versions() == []


def test_nothing_is_written_where_the_study_does_not_let_one_nor_by_another_nor_late(
    tokens: list[str], alice: User, bob: User
) -> None:
    sent = SentText(tokens[0], "reason", "Words.", 1)
    with pytest.raises(AnotherAccount):
        save_text(bob, ADDRESS, sent)
    Study.objects.update(reasons="none", has_corrections=False)
    for kind in ("reason", "correction"):
        with pytest.raises(UnknownPlace):
            save_text(alice, ADDRESS, SentText(tokens[0], kind, "Words.", 1))
    Study.objects.update(reasons="page", state="paused")
    with pytest.raises(Paused):
        save_text(alice, ADDRESS, sent)
    Study.objects.update(state="open")
    Enrolment.objects.update(deadline=timezone.now() - timedelta(hours=1))
    with pytest.raises(Closed):
        save_text(alice, ADDRESS, sent)
    assert versions() == []


def test_one_reason_a_page_is_the_same_from_any_of_its_texts(tokens: list[str], alice: User) -> None:
    Study.objects.update(reasons="page")
    save_text(alice, ADDRESS, SentText(tokens[0], "reason", "One.", 1))
    save_text(alice, ADDRESS, SentText(tokens[3], "reason", "Another.", 2))
    assert WrittenAnswer.objects.filter(candidate=None).count() == 2
    assert list(WrittenAnswer.objects.values_list("kind", "text")) == [
        ("reason", "One."),
        ("reason", "Another."),
    ]


def post(client: Client, path: str, **body: Any) -> Any:
    return client.post(path, json.dumps(body), content_type="application/json")


def test_the_page_offers_places_to_write_and_shows_what_was_written(
    as_alice: Client, tokens: list[str], django_assert_num_queries: Any
) -> None:
    as_alice.get(PAGE)
    with django_assert_num_queries(6):
        page = as_alice.get(PAGE).content.decode()
    assert page.count("<textarea") == 8
    # Nobody is asked to: what is written counts as no answer.
    assert "0 of 9 answered" in page
    body = {"token": tokens[2], "kind": "reason", "text": "<b>Bold</b> & true", "order": 7}
    post(as_alice, f"{PAGE}written/", **body | {"text": "First."})
    with django_assert_num_queries(2):
        reply = post(as_alice, f"{PAGE}written/", **body | {"order": 8}).json()
    assert (reply["text"], reply["order"], reply["latest"]) == ("<b>Bold</b> & true", 8, True)
    page = as_alice.get(PAGE).content.decode()
    assert "&lt;b&gt;Bold&lt;/b&gt; &amp; true</textarea>" in page
    assert 'data-highest-order="8"' in page
    for bad in ({"text": 3}, {"order": 0}, {"token": "!"}, {"text": "x" * 5_001}):
        assert post(as_alice, f"{PAGE}written/", **body | bad).status_code == 400
    assert post(as_alice, f"{PAGE}written/", **body | {"kind": "note"}).status_code == 404
    for raw in ("[", "[]", "{}"):
        assert as_alice.post(f"{PAGE}written/", raw, content_type="application/json").status_code == 400


def test_a_study_without_them_has_no_place_to_write(as_alice: Client, enrolment: Enrolment) -> None:
    page = as_alice.get(PAGE).content.decode()
    assert "<textarea" not in page
    assert "data-written-url" not in page


def test_without_javascript_what_is_written_is_saved_with_the_page(
    transactional_db: None, as_alice: Client, tokens: list[str]
) -> None:
    page = as_alice.get(PAGE)
    shown = page.context["rating_page"].cards[0].text
    form = {
        f"{tokens[0]}~reason": "One line.\r\nAnother.",
        f"{tokens[1]}~reason": "",
        f"{tokens[0]}~correction": shown.replace("\n", "\r\n"),
    }
    as_alice.post(PAGE, form)
    assert [(kind, text) for kind, text, _order in versions()] == [("reason", "One line.\nAnother.")]
    as_alice.post(PAGE, form)
    assert len(versions()) == 1
    as_alice.post(PAGE, form | {f"{tokens[0]}~reason": ""})
    assert versions()[-1][1] == ""
    refused = as_alice.post(PAGE, form | {f"{tokens[0]}~reason": "x" * 5_001})
    assert refused.status_code == 400


def test_the_api_shows_and_takes_what_is_written(as_alice: Client, tokens: list[str]) -> None:
    path = f"/api/v1/my{PAGE}"
    assert len(as_alice.get(path).json()["written"]) == 8
    reply = post(as_alice, f"{path}written/", token=tokens[0], kind="correction", text=" Better. ").json()
    assert (reply["text"], reply["is_latest"]) == (" Better. ", True)
    found = as_alice.get(path).json()["written"]
    assert [one["text"] for one in found if one["is_written"]] == [" Better. "]
    assert post(as_alice, f"{path}written/", token=tokens[0], kind="note", text="x").status_code == 400


def test_they_are_settings_until_the_launch(client: Client, carol: User, db: None) -> None:
    call_command("create_study", "poems", rubric="poem")
    call_command("change_study", "poems", reasons="page", has_corrections="True")
    study = Study.objects.get()
    assert (study.reasons, study.has_corrections) == ("page", True)
    client.force_login(carol)
    body = json.dumps({"reasons": "candidate", "has_corrections": False})
    changed = client.patch("/api/v1/studies/poems/", body, content_type="application/json").json()
    assert (changed["reasons"], changed["has_corrections"]) == ("candidate", False)
    settings = client.get("/manage/studies/poems/settings/").content.decode()
    assert 'name="reasons"' in settings
    assert 'name="has_corrections"' in settings
    Study.objects.update(state="open", launched_at=timezone.now())
    with pytest.raises(CommandError, match="reasons"):
        call_command("change_study", "poems", reasons="none")


def test_files_and_the_case_page_have_what_was_written_once_the_seal_is_off(
    client: Client, tokens: list[str], alice: User, carol: User, tmp_path: Path
) -> None:
    study = Study.objects.get()
    candidate = placements(study, alice)[1].candidate
    save_text(alice, ADDRESS, SentText(tokens[1], "reason", "Draft.", 1))
    save_text(alice, ADDRESS, SentText(tokens[1], "reason", "It <em>rhymes</em>.", 2))
    corrected = candidate.text.replace("，", "！", 1)
    save_text(alice, ADDRESS, SentText(tokens[1], "correction", corrected, 3))
    client.force_login(carol)
    assert client.get("/studies/poems/written.csv").headers["Location"] == "/studies/poems/results/"
    assert client.get("/api/v1/studies/poems/written-answers/").status_code == 403
    close_study(study)
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in written_rows(study)]
    assert [(row["kind"], row["text"], row["original"], row["versions"]) for row in rows] == [
        ("correction", corrected, candidate.text, 1),
        ("reason", "It <em>rhymes</em>.", None, 2),
    ]
    assert {(row["evaluator"], row["position"]) for row in rows} == {("E001", 2)}
    path = tmp_path / "written.jsonl"
    call_command("export_written", "poems", format="jsonl", output=path)
    assert len(path.read_text(encoding="utf-8").splitlines()) == 2
    assert b"".join(client.get("/studies/poems/written.jsonl")).count(b"\n") == 2
    assert client.get("/studies/poems/written.exe").status_code == 404
    assert client.get("/api/v1/studies/poems/written-answers/").json()["count"] == 2
    assert "/studies/poems/written.csv" in client.get("/studies/poems/results/").content.decode()
    case = client.get("/studies/poems/results/prompts/1/1/").content.decode()
    assert "It &lt;em&gt;rhymes&lt;/em&gt;." in case
    assert "<del>，</del><ins>！</ins>" in re.sub(r"\s+>", ">", case)


def test_a_reason_for_a_page_stands_below_its_texts_in_files_and_cases(
    client: Client, tokens: list[str], alice: User, carol: User
) -> None:
    Study.objects.update(reasons="page")
    save_text(alice, ADDRESS, SentText(tokens[0], "reason", "All alike.", 1))
    study = Study.objects.get()
    close_study(study)
    (row,) = (dict(zip(COLUMNS, row, strict=True)) for row in written_rows(study))
    assert (row["method"], row["position"], row["text"], row["page"]) == (None, None, "All alike.", 1)
    client.force_login(carol)
    assert "All alike." in client.get("/studies/poems/results/prompts/1/1/").content.decode()


def test_who_withdraws_takes_what_they_wrote_along(tokens: list[str], alice: User) -> None:
    save_text(alice, ADDRESS, SentText(tokens[0], "reason", "My name is Alice.", 1))
    assert withdraw(Enrolment.objects.get()) == 1
    assert versions() == []


def test_changes_are_told_by_words_and_by_characters_of_scripts_without_blanks() -> None:
    english = text_changes("The cat sat.", "The old cat sat down.")
    assert [(one.kind, one.text) for one in english] == [
        ("kept", "The"), ("put", " old"), ("kept", " cat sat"), ("put", " down"), ("kept", "."),
    ]  # fmt: skip
    chinese = text_changes("山中一夜雨", "山中两夜雨")
    assert [(one.kind, one.text) for one in chinese] == [
        ("kept", "山中"), ("taken", "一"), ("put", "两"), ("kept", "夜雨"),
    ]  # fmt: skip
