"""Errors marked in a text: saved at once with every version, in the words that were written, cutting no character."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client
from django.utils import timezone

from annotations.models import AnswerChange, Enrolment, Marking, Rating, Span, Study
from annotations.questionnaire.marking.marks import BadMark, Mark, marked_text
from annotations.questionnaire.marking.saving import SentMarking, save_marking
from annotations.questionnaire.progress import study_progress
from annotations.questionnaire.saving import (
    AnotherAccount,
    Answer,
    Closed,
    NotMarked,
    PageAddress,
    Paused,
    UnknownPlace,
    save_answer,
)
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.withdrawal import withdraw
from annotations.tests.cast import build_study, placements
from annotations.tests.marking_cast import build_marked_study
from generation.models import Candidate

ADDRESS = PageAddress("marked", 1, 1)
PAGE = "/studies/marked/subtasks/1/pages/1/"
TEXT = "The cat sat on teh mat."


def begin(alice: User, text: str = TEXT, **fields: Any) -> str:
    """Enrol alice in a study with this text and return its token."""
    study = build_marked_study(text, **fields)
    enrol(study, alice)
    return next(one.token for one in placements(study, alice) if one.candidate.text == text)


def sent(token: str, *marks: Mark, order: int = 1, done: bool = False) -> SentMarking:
    return SentMarking(token, order, marks, done)


def stored() -> list[tuple[Any, ...]]:
    return list(Span.objects.values_list("start", "end", "category__key", "severity__key", "note"))


def test_marks_are_saved_with_their_history_and_sent_again_change_nothing(alice: User) -> None:
    token = begin(alice)
    teh = Mark("accuracy", "minor", 15, 18, "the")
    for _ in range(2):
        receipt = save_marking(alice, ADDRESS, sent(token, teh, order=5))
        assert (receipt.marks, receipt.is_latest, receipt.is_widened) == ((teh,), True, False)
    assert stored() == [(15, 18, "accuracy", "minor", "the")]
    save_marking(alice, ADDRESS, sent(token, teh, Mark("omission", "major"), order=6, done=True))
    steps: list[Any] = list(AnswerChange.objects.order_by("pk").values_list("marking", flat=True))
    assert [(step["is_done"], len(step["marks"])) for step in steps] == [(False, 1), (True, 2)]
    save_marking(alice, ADDRESS, sent(token, order=7, done=True))
    assert stored() == []
    assert Marking.objects.get().is_done


def test_of_two_windows_the_later_one_stays_and_an_ahead_clock_makes_nobody_lose(alice: User) -> None:
    token = begin(alice)
    save_marking(alice, ADDRESS, sent(token, Mark("accuracy", "minor", 0, 3), order=9))
    late = save_marking(alice, ADDRESS, sent(token, Mark("accuracy", "major", 4, 7), order=8))
    assert (late.is_latest, late.marks) == (False, (Mark("accuracy", "minor", 0, 3),))
    ahead = sent(token, Mark("accuracy", "major", 4, 7), order=2**52)
    assert save_marking(alice, ADDRESS, ahead).is_latest
    assert save_marking(alice, ADDRESS, ahead).is_latest
    assert AnswerChange.objects.count() == 2
    # As if a second had passed: all of a test is one moment to its database.
    Marking.objects.update(client_order=F("client_order") - 1_000)
    now = int(timezone.now().timestamp() * 1000)
    assert save_marking(alice, ADDRESS, sent(token, order=now)).is_latest
    assert stored() == []


@pytest.mark.parametrize(
    ("text", "part", "found"),
    [
        ("cafe\u0301 noir", (3, 4), "e\u0301"),
        ("on 👩\u200d👩\u200d👧 off", (4, 5), "👩\u200d👩\u200d👧"),
        ("שלום \u202bעולם\u202c!", (6, 10), "עולם"),
        ("a\tb\r\nline two", (4, 8), "line"),
        ("<b>not bold</b> &amp;", (0, 3), "<b>"),
        ("word \U0001f1e8\U0001f1f3 flags", (5, 6), "\U0001f1e8\U0001f1f3"),
    ],
)
def test_a_mark_is_stored_in_the_text_as_it_was_written_and_cuts_no_character(
    alice: User, text: str, part: tuple[int, int], found: str
) -> None:
    token = begin(alice, text)
    shown = marked_text(text, "prose", "text").shown
    receipt = save_marking(alice, ADDRESS, sent(token, Mark("accuracy", "minor", *part)))
    span = Span.objects.get()
    assert found in text[span.start : span.end]
    assert text[span.start : span.end].strip("\u202b\u202c") == found
    again = receipt.marks[0]
    assert again.start is not None
    assert again.end is not None
    assert again.start <= part[0]
    assert again.end >= part[1]
    assert receipt.is_widened == ((again.start, again.end) != part)
    assert shown[again.start : again.end]


@pytest.mark.parametrize("rule", ["none", "prose", "verse"])
def test_words_marked_under_any_rule_are_these_words_in_what_was_written(alice: User, rule: str) -> None:
    text = "“Well”,  she said -- and\r\n\r\nleft...   Then:  she came back."
    token = begin(alice, text, normalisation=rule)
    shown = marked_text(text, rule, "text").shown
    for word in ("Well", "left", "came back"):
        start = shown.index(word)
        mark = Mark("accuracy", "minor", start, start + len(word))
        save_marking(alice, ADDRESS, sent(token, mark, order=start + 1))
        span = Span.objects.get()
        assert text[span.start : span.end] == word


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        (
            [Mark("accuracy", "minor", 20, 24)],
            "Mark 1: it must begin at 0 or later and end after that, at 23 at most.",
        ),
        ([Mark("accuracy", "minor", 5, 3)], "Mark 1: it must begin at 0"),
        ([Mark("accuracy", "minor", -1, 3)], "Mark 1: it must begin at 0"),
        ([Mark("accuracy", "minor", 3, 3)], "Mark 1: it marks no character."),
        ([Mark("accuracy", "minor")], "Mark 1: say where it begins and where it ends."),
        ([Mark("omission", "minor", 3, 5)], "Mark 1: what is missing has a place and no words"),
        ([Mark("omission", "minor", 3)], "Mark 1: say where it begins and where it ends."),
        (
            [Mark("style", "minor", 0, 3)],
            "Mark 1: style is none of the categories accuracy, punctuation, omission.",
        ),
        ([Mark("accuracy", "critical", 0, 3)], "Mark 1: critical is none of the severities minor, major."),
        ([Mark("accuracy", "minor", 0, 3, "x" * 301)], "Mark 1: a note has at most 300 characters."),
        ([Mark("accuracy", "minor", 0, 3, "\ud800")], "Mark 1: the note has a character that is none."),
        (
            [Mark("accuracy", "minor", 0, 3), Mark("accuracy", "major", 0, 3)],
            "Mark 2: the same words are marked in this category already.",
        ),
        ([Mark("omission", "minor")] * 101, "A text can have at most 100 marks."),
    ],
)
def test_a_mark_that_cannot_be_is_refused_in_one_line_and_nothing_changes(
    alice: User, marks: list[Mark], message: str
) -> None:
    token = begin(alice)
    with pytest.raises(BadMark, match="^" + message.replace("(", r"\(").replace(".", r"\.")):
        save_marking(alice, ADDRESS, sent(token, *marks))
    assert not Marking.objects.exists()


def test_a_mark_over_what_nobody_sees_marks_nothing(alice: User) -> None:
    text = "He went\u202e\u200b out.\u202c"
    token = begin(alice, text, normalisation="none")
    with pytest.raises(BadMark, match=r"Mark 1: it marks no character that is seen\."):
        save_marking(alice, ADDRESS, sent(token, Mark("accuracy", "minor", 7, 9)))
    assert stored() == []
    save_marking(alice, ADDRESS, sent(token, Mark("accuracy", "minor", 3, 9)))
    assert stored() == [(3, 9, "accuracy", "minor", "")]


def test_marks_overlap_and_there_may_be_a_hundred(alice: User) -> None:
    token = begin(alice, "word " * 3_000)
    marks = [Mark("accuracy", "minor", 5 * number, 5 * number + 9) for number in range(100)]
    assert len(save_marking(alice, ADDRESS, sent(token, *marks)).marks) == 100
    assert Span.objects.count() == 100


def test_marks_are_refused_where_nothing_else_is_taken(alice: User, bob: User) -> None:
    token = begin(alice)
    study = Study.objects.get()
    with pytest.raises(AnotherAccount):
        save_marking(bob, ADDRESS, sent(token))
    with pytest.raises(UnknownPlace):
        save_marking(alice, PageAddress("marked", 1, 2), sent(token))
    with pytest.raises(UnknownPlace):
        save_marking(alice, ADDRESS, SentMarking(token, 1, (), is_done=True, digest="0" * 16))
    Study.objects.update(state="paused")
    with pytest.raises(Paused):
        save_marking(alice, ADDRESS, sent(token))
    Study.objects.update(state="open")
    Enrolment.objects.update(deadline=timezone.now() - timedelta(hours=1))
    with pytest.raises(Closed):
        save_marking(alice, ADDRESS, sent(token))
    other = build_study(slug="rated")
    enrol(other, alice)
    with pytest.raises(UnknownPlace):
        save_marking(alice, PageAddress("rated", 1, 1), sent(placements(other, alice)[0].token))
    assert not Marking.objects.exists()
    assert study.pk


def test_a_text_is_rated_after_its_errors_are_marked_and_never_on_what_is_reckoned(alice: User) -> None:
    token = begin(alice)
    rating = Answer(token, 1, "score", 70)
    with pytest.raises(NotMarked, match="Mark the errors of this text first"):
        save_answer(alice, ADDRESS, rating)
    save_marking(alice, ADDRESS, sent(token, done=True))
    assert save_answer(alice, ADDRESS, rating).is_latest
    with pytest.raises(UnknownPlace):
        save_answer(alice, ADDRESS, Answer(token, 2, "penalty", 3))
    assert Rating.objects.get().score == 70


def test_a_page_is_answered_when_all_texts_are_marked_and_rated(alice: User) -> None:
    study = build_marked_study()
    enrolment = enrol(study, alice)
    assert study_progress(enrolment).total == 2 * 2 * 2
    for number, placed in enumerate(placements(study, alice)):
        save_marking(alice, ADDRESS, sent(placed.token, done=number == 0))
        assert study_progress(enrolment).answered == 1
    save_answer(alice, ADDRESS, Answer(placements(study, alice)[0].token, 1, "score", 5))
    assert study_progress(enrolment).answered == 2


def test_who_withdraws_takes_the_marks_along(alice: User) -> None:
    token = begin(alice)
    save_marking(alice, ADDRESS, sent(token, Mark("accuracy", "minor", 0, 3)))
    withdraw(Enrolment.objects.get())
    assert not Marking.objects.exists()
    assert not Span.objects.exists()
    assert not AnswerChange.objects.exists()


def body(token: str, **fields: Any) -> str:
    digest = marked_text(TEXT, "prose", "text").digest
    return json.dumps(
        {"token": token, "marks": [], "done": True, "digest": digest, "order": 1, "seconds": 2} | fields
    )


def test_the_browser_saves_marks_as_json_and_hears_what_is_stored(as_alice: Client, alice: User) -> None:
    token = begin(alice)
    mark = {"category": "accuracy", "severity": "major", "start": 15, "end": 18, "note": ""}
    response = as_alice.post(f"{PAGE}markings/", body(token, marks=[mark]), content_type="application/json")
    assert response.status_code == 200
    reply = response.json()
    assert (reply["marks"], reply["done"], reply["latest"], reply["widened"]) == ([mark], True, True, False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"marks": {}},
        {"marks": [1]},
        {"marks": [{"category": "accuracy"}]},
        {"marks": [{"category": "accuracy", "severity": "minor", "start": 1.5, "end": 3}]},
        {"marks": [{"category": "accuracy", "severity": "minor", "start": True, "end": 3}]},
        {"marks": [{"category": "accuracy", "severity": "minor", "start": 0, "end": 3, "method": "x"}]},
        {"done": 1},
        {"digest": "none"},
        {"order": 0},
        {"seconds": -1},
        {"more": 1},
        {"marks": [{"category": "omission", "severity": "minor", "note": "x" * 60_000}]},
    ],
)
def test_a_body_that_is_no_marking_is_refused(as_alice: Client, alice: User, wrong: dict[str, Any]) -> None:
    token = begin(alice)
    response = as_alice.post(f"{PAGE}markings/", body(token, **wrong), content_type="application/json")
    assert response.status_code == 400
    assert response.json()["error"]
    assert not Marking.objects.exists()


def test_a_page_takes_at_most_eight_queries_and_a_save_four_at_any_size(
    as_alice: Client, alice: User, django_assert_max_num_queries: Any
) -> None:
    for slug, prompts in (("small", 1), ("large", 24)):
        study = build_marked_study(slug=slug, prompts=prompts, methods=4)
        enrol(study, alice)
        path = f"/studies/{slug}/subtasks/1/pages/1/"
        placed = placements(study, alice)
        for order, one in enumerate(placed, start=1):
            marks = [{"category": "accuracy", "severity": "minor", "start": 0, "end": order}]
            digest = marked_text(one.candidate.text, "prose", "text").digest
            data = body(one.token, marks=marks, digest=digest, order=order)
            with django_assert_max_num_queries(4):
                saved = as_alice.post(f"{path}markings/", data, content_type="application/json")
            assert saved.status_code == 200, saved.content
        # The first page of a connection prepares what it asks for.
        as_alice.get(path)
        with django_assert_max_num_queries(8):
            page = as_alice.get(path).content.decode()
        assert page.count("data-markable") == 4
        assert page.count('data-category="accuracy"') == 4


def test_html_in_a_text_stands_on_the_page_as_text(as_alice: Client, alice: User) -> None:
    begin(alice, "A <script>alert(1)</script> & **bold** text")
    Study.objects.update(rendering="markdown")
    page = as_alice.get(PAGE).content.decode()
    assert "data-markable>A &lt;script&gt;alert(1)&lt;/script&gt; &amp; **bold** text</div>" in page


# Without JavaScript the page is one form


def test_a_form_quotes_the_words_that_are_wrong(as_alice: Client, alice: User) -> None:
    token = begin(alice)
    form = {
        f"{token}.marks.words.1": "teh",
        f"{token}.marks.category.1": "accuracy",
        f"{token}.marks.severity.1": "major",
        f"{token}.marks.note.1": "the",
        f"{token}.marks.words.2": "mat",
        f"{token}.marks.category.2": "omission",
        f"{token}.marks.severity.2": "minor",
        f"{token}.marks.done": "on",
        f"{token}.score": "80",
    }
    response = as_alice.post(PAGE, form)
    assert response.headers["Location"] == "/studies/marked/subtasks/1/pages/2/"
    assert stored() == [(15, 18, "accuracy", "major", "the"), (19, 19, "omission", "minor", "")]
    assert Rating.objects.get().score == 80
    page = as_alice.get(PAGE).content.decode()
    assert "“teh”" in page
    # As if a second had passed: all of a test is one moment to its database.
    Marking.objects.update(client_order=F("client_order") - 1_000)
    as_alice.post(PAGE, {f"{token}.marks.out.1": "on", f"{token}.marks.done": "on"})
    assert [span[2] for span in stored()] == ["omission"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"words.1": "dog", "category.1": "accuracy", "severity.1": "minor"}, "these are not in it"),
        ({"words.1": "at", "category.1": "accuracy", "severity.1": "minor"}, "3 times: copy some more"),
        ({"words.1": "teh"}, "Choose a category and a severity."),
        ({"words.1": "", "category.1": "accuracy", "severity.1": "minor"}, "these are not in it"),
    ],
)
def test_a_form_with_words_that_cannot_be_found_says_so_and_saves_nothing(
    as_alice: Client, alice: User, fields: dict[str, str], message: str
) -> None:
    token = begin(alice)
    response = as_alice.post(PAGE, {f"{token}.marks.{name}": value for name, value in fields.items()})
    assert response.status_code == 400
    assert message in response.content.decode()
    assert not Marking.objects.exists()


def test_a_form_that_rates_a_text_whose_errors_are_not_marked_saves_nothing(
    as_alice: Client, alice: User
) -> None:
    token = begin(alice)
    words = {f"{token}.marks.words.1": "teh", f"{token}.marks.category.1": "accuracy"}
    response = as_alice.post(PAGE, {**words, f"{token}.marks.severity.1": "minor", f"{token}.score": "80"})
    assert response.status_code == 428
    assert "Mark the errors of this text first" in response.content.decode()
    assert not Marking.objects.exists()
    assert Candidate.objects.exists()
