"""Nobody fills the disk by writing, and nothing that is written turns a page or a file of others round."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template import Context, Template
from django.test import Client

from annotations.models import AnswerChange, Span, Study, WrittenAnswer
from annotations.questionnaire.marking import saving as marking
from annotations.questionnaire.marking.marks import BadMark, Mark
from annotations.questionnaire.marking.saving import SentMarking, save_marking
from annotations.questionnaire.saving import PageAddress
from annotations.questionnaire.written import saving as writing
from annotations.questionnaire.written.saving import BadText, SentText, save_text
from annotations.recruiting.enrolment import enrol
from annotations.results.written.rows import written_chunks
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import build_study, placements
from annotations.tests.marking_cast import build_marked_study

ADDRESS, OTHER_PAGE = PageAddress("poems", 1, 1), PageAddress("poems", 1, 2)
PAGE = "/studies/poems/subtasks/1/pages/1/"


@pytest.fixture
def study(alice: User) -> Study:
    """A study in which reasons may be written about each text, and texts corrected, with alice."""
    study = build_study(prompts=2)
    Study.objects.update(reasons="candidate", has_corrections=True)
    enrol(study, alice)
    return Study.objects.get()


def token_on(study: Study, alice: User, page: int, place: int = 0) -> str:
    return [one.token for one in placements(study, alice, page=page)][place]


def test_a_page_keeps_so_many_versions_and_what_counts_stays(
    study: Study, alice: User, as_alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MOST_VERSIONS", 3)
    one, other = token_on(study, alice, 1), token_on(study, alice, 1, 1)
    save_text(alice, ADDRESS, SentText(one, "reason", "First.", 1))
    save_text(alice, ADDRESS, SentText(one, "reason", "Second.", 2))
    save_text(alice, ADDRESS, SentText(other, "correction", "Third.", 3))
    with pytest.raises(BadText, match=r"What was saved last stays, and counts\."):
        save_text(alice, ADDRESS, SentText(other, "reason", "Fourth.", 4))
    body = {"token": one, "kind": "reason", "text": "Fourth.", "order": 5}
    for path in (f"{PAGE}written/", f"/api/v1/my{PAGE}written/"):
        refused = as_alice.post(path, json.dumps(body), content_type="application/json")
        assert refused.status_code == 400
        assert "keeps no more versions" in refused.content.decode()
    assert as_alice.post(PAGE, {f"{one}~reason": "Fourth."}).status_code == 400
    # The same again is none, and what was written can be taken back, once.
    assert save_text(alice, ADDRESS, SentText(one, "reason", "Second.", 6)).is_latest
    assert save_text(alice, ADDRESS, SentText(one, "reason", "", 7)).text == ""
    for order in (1, 8, 9):
        save_text(alice, ADDRESS, SentText(one, "reason", "", order))
    assert list(WrittenAnswer.objects.values_list("text", flat=True)) == ["First.", "Second.", "Third.", ""]
    # Another page has room of its own.
    save_text(alice, OTHER_PAGE, SentText(token_on(study, alice, 2), "reason", "Fourth.", 8))


def test_empty_versions_of_a_full_page_do_not_pile_up_behind_the_one_that_counts(
    study: Study, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = token_on(study, alice, 1)
    save_text(alice, ADDRESS, SentText(token, "reason", "Words.", 9))
    monkeypatch.setattr(writing, "MOST_VERSIONS", 1)
    for order in range(1, 8):
        assert save_text(alice, ADDRESS, SentText(token, "reason", "", order)).text == "Words."
    assert WrittenAnswer.objects.count() == 1


def test_a_page_keeps_so_many_bytes_of_any_script(
    study: Study, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MOST_BYTES", 30)
    token = token_on(study, alice, 1)
    save_text(alice, ADDRESS, SentText(token, "correction", "山中一夜雨", 1))
    save_text(alice, ADDRESS, SentText(token, "correction", "树杪百重泉", 2))
    with pytest.raises(BadText, match="no more versions"):
        save_text(alice, ADDRESS, SentText(token, "reason", "!", 3))
    assert WrittenAnswer.objects.count() == 2


@pytest.mark.parametrize(("bound", "most"), [("MOST_VERSIONS", 2), ("MOST_BYTES", 500)])
def test_the_history_of_marks_is_bounded_and_those_saved_last_stay(
    alice: User, monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    study = build_marked_study("The cat sat on teh mat.", prompts=1)
    enrol(study, alice)
    token, other = (one.token for one in placements(study, alice))
    address = PageAddress("marked", 1, 1)
    monkeypatch.setattr(marking, bound, most)
    for order, note in enumerate(("a", "b"), start=1):
        mark = Mark("omission", "minor", None, None, note)
        save_marking(alice, address, SentMarking(token, order, (mark,), is_done=True))
    last = Mark("omission", "minor", None, None, "c" * 300)
    with pytest.raises(BadMark, match="No more versions are kept"):
        save_marking(alice, address, SentMarking(token, 3, (last,), is_done=True))
    assert [span.note for span in Span.objects.all()] == ["b"]
    assert AnswerChange.objects.count() == 2
    again = SentMarking(token, 4, (Mark("omission", "minor", None, None, "b"),), is_done=True)
    assert save_marking(alice, address, again).is_latest
    save_marking(alice, address, SentMarking(other, 3, (), is_done=True))


def test_what_turns_the_direction_round_is_named_on_the_page_of_a_prompt(
    study: Study, alice: User, carol: User, client: Client
) -> None:
    token, other = token_on(study, alice, 1), token_on(study, alice, 1, 1)
    save_text(alice, ADDRESS, SentText(token, "reason", "<b>tra\u202efed\u2069</b>", 1))
    save_text(alice, ADDRESS, SentText(other, "correction", "\u2067Other", 1))
    close_study(study)
    client.force_login(carol)
    page = client.get("/studies/poems/results/prompts/1/1/").content.decode()
    assert "\u202e" not in page
    assert "\u2067" not in page
    named = '<span class="unseen">U+{}</span>'.format
    assert f"<bdi>&lt;b&gt;tra{named('202E')}fed{named('2069')}&lt;/b&gt;</bdi>" in page
    assert named("2067") in page


def test_a_note_of_a_mark_is_isolated_and_its_directions_named() -> None:
    template = Template('{% include "annotations/results/_heat.html" %}')
    stretch: Any = {"words": "x", "share": "", "kinds": "", "notes": ["a\u202eb"]}
    shown = template.render(Context({"heat": {"evaluators": 1, "stretches": [stretch]}}))
    assert '<q><bdi>a<span class="unseen">U+202E</span>b</bdi></q>' in shown


def test_a_file_of_reasons_goes_on_as_it_was_and_json_has_each_as_it_was_written(
    study: Study, alice: User
) -> None:
    text = "a\u202eb"
    save_text(alice, ADDRESS, SentText(token_on(study, alice, 1), "reason", text, 1))
    close_study(study)
    csv = b"".join(written_chunks(study, "csv")).decode()
    assert '"a\u202eb\u202c"' in csv
    line = b"".join(written_chunks(study, "jsonl")).decode()
    assert "\u202e" not in line
    assert json.loads(line)["text"] == text
