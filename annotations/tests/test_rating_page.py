from __future__ import annotations

import base64
import gzip
import hashlib
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client
from django.utils import timezone

from annotations.models import AnswerChange, BestChoice, Enrolment, Rating, Study
from annotations.questionnaire.cards import text_lines
from annotations.questionnaire.saving import Answer, PageAddress, save_answer
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import build_study, placements, shown
from generation.models import Candidate, Prompt

PAGE = "/studies/poems/subtasks/1/pages/1/"


def checked(page: str) -> list[tuple[str, str]]:
    """Return the name and value of every chosen radio button."""
    return re.findall(r'name="([^"]+)" value="([^"]+)"(?: data-letter="\w")? checked', page)


def test_candidates_stand_in_their_stored_order(
    as_alice: Client, study: Study, enrolment: Enrolment, alice: User
) -> None:
    Study.objects.update(normalisation="verse")
    page = shown(as_alice, PAGE)
    first_lines = [text.candidate.text.splitlines()[0] for text in placements(study, alice)]
    assert re.findall(r'lang="zh" dir="auto" translate="no"> ?<div> ?<p>([^<]+)</p>', page) == first_lines
    assert re.findall(r'class="letter"[^>]*><span[^>]*>Text </span>(\w)<', page) == ["A", "B", "C", "D"]


def test_the_page_is_the_same_when_loaded_again(as_alice: Client, enrolment: Enrolment) -> None:
    tokens = [re.findall(r'name="best" value="([^"]+)"', shown(as_alice, PAGE)) for _ in range(2)]
    assert tokens[0] == tokens[1]
    assert len(tokens[0]) == 4


def test_names_of_inputs_hold_a_token_and_a_criterion_and_nothing_else(
    as_alice: Client, study: Study, enrolment: Enrolment, alice: User
) -> None:
    names = set(re.findall(r'type="radio" name="([^"]+)"', shown(as_alice, PAGE)))
    tokens = [placement.token for placement in placements(study, alice)]
    assert names == {f"{token}.{key}" for token in tokens for key in ("format", "overall")} | {"best"}


def test_nothing_on_the_page_tells_the_method(as_alice: Client, study: Study, enrolment: Enrolment) -> None:
    page = shown(as_alice, PAGE).lower()
    assert "method-" not in page
    assert "method 0" not in page
    assert str(study.order_seed) not in page


def test_nothing_is_chosen_at_first(as_alice: Client, enrolment: Enrolment) -> None:
    page = shown(as_alice, PAGE)
    assert checked(page) == []
    assert "0 of 9 answered" in page
    assert "Prompt 1 of 2" in page


def test_stored_answers_are_chosen_and_the_others_listed_as_missing(
    as_alice: Client, study: Study, enrolment: Enrolment, alice: User
) -> None:
    address, shown_texts = PageAddress("poems", 1, 1), placements(study, alice)
    save_answer(alice, address, Answer(shown_texts[1].token, 7, "overall", 10))
    save_answer(alice, address, Answer(shown_texts[2].token, 8))
    page = shown(as_alice, PAGE)
    assert sorted(checked(page)) == sorted(
        [(f"{shown_texts[1].token}.overall", "10"), ("best", shown_texts[2].token)]
    )
    assert "2 of 9 answered" in page
    assert 'data-highest-order="8"' in page
    missing = re.findall(r'<li data-missing="[^"]+"> ?<a href="#([^"]+)">', page)
    assert missing == ["a-format", "a-overall", "b-format", "c-format", "c-overall", "d-format", "d-overall"]


def test_a_scale_shows_its_points_and_the_words_at_both_ends(as_alice: Client, enrolment: Enrolment) -> None:
    page = shown(as_alice, PAGE)
    row = page.split('id="a-overall"')[1].split("</fieldset>")[0]
    assert re.findall(r'value="(\d+)"', row) == [str(point) for point in range(1, 11)]
    assert '<legend lang="en" dir="auto">Overall</legend>' in row
    assert '>1 <bdi lang="en">poor</bdi>' in row
    assert '>10 <bdi lang="en">excellent</bdi>' in row
    assert "How good is the poem as a whole?" in row


def test_every_link_to_a_missing_answer_leads_to_its_question(as_alice: Client, enrolment: Enrolment) -> None:
    page = shown(as_alice, PAGE)
    anchors = re.findall(r'<li data-missing="[^"]+"> ?<a href="#([^"]+)">', page)
    assert len(anchors) == 9
    assert all(page.count(f'id="{anchor}"') == 1 for anchor in anchors)


def test_back_and_next_lead_over_the_pages_to_the_study(as_alice: Client, enrolment: Enrolment) -> None:
    first, last = shown(as_alice, PAGE), shown(as_alice, PAGE.replace("pages/1", "pages/2"))
    assert 'id="back" href="/studies/poems/"' in first
    assert 'data-next="/studies/poems/subtasks/1/pages/2/"' in first
    assert 'id="back" href="/studies/poems/subtasks/1/pages/1/"' in last
    assert 'data-next="/studies/poems/"' in last


@pytest.mark.parametrize(
    "path", ["subtasks/1/pages/3/", "subtasks/2/pages/1/", "subtasks/1/pages/99999999999999/"]
)
def test_a_page_that_is_not_there_is_not_found(as_alice: Client, enrolment: Enrolment, path: str) -> None:
    assert as_alice.get(f"/studies/poems/{path}").status_code == 404


def test_a_page_of_others_is_not_found(client: Client, enrolment: Enrolment, bob: User) -> None:
    client.force_login(bob)
    assert client.get(PAGE).status_code == 404
    assert client.post(PAGE, {}).status_code == 404


def test_after_the_deadline_the_page_can_only_be_read(as_alice: Client, enrolment: Enrolment) -> None:
    Enrolment.objects.update(deadline=timezone.now() - timedelta(seconds=1))
    page = shown(as_alice, PAGE)
    assert "no longer change them" in page
    radios = re.findall(r'<input type="radio"[^>]*>', page)
    assert len(radios) == 4 * (5 + 10) + 4
    assert all("disabled" in radio for radio in radios)


def test_a_text_written_as_markup_stays_text(as_alice: Client, enrolment: Enrolment) -> None:
    Prompt.objects.update(description="<script>alert(1)</script>")
    Candidate.objects.update(text="<script>alert(2)</script>")
    assert "<script>alert" not in shown(as_alice, PAGE)


def test_the_names_of_two_enrolments_in_the_browser_differ(
    client: Client, study: Study, enrolment: Enrolment, alice: User, bob: User
) -> None:
    enrol(study, bob)
    names = []
    for user in (alice, bob):
        client.force_login(user)
        names += re.findall(r'data-journal="([0-9a-f]{24})"', shown(client, PAGE))
    assert len(set(names)) == 2


def test_a_page_takes_five_queries_at_any_size(
    as_alice: Client, alice: User, django_assert_num_queries: Any
) -> None:
    for slug, prompts in (("small", 1), ("large", 24)):
        enrol(build_study(slug=slug, prompts=prompts), alice)
        as_alice.get(f"/studies/{slug}/subtasks/1/pages/1/")
        # Session with user, enrolment with study, prompt with page, texts with answers, criteria.
        with django_assert_num_queries(5):
            as_alice.get(f"/studies/{slug}/subtasks/1/pages/1/")


def test_a_poem_in_one_line_is_set_a_couplet_a_line() -> None:
    assert text_lines("床前明月光，疑是地上霜。举头望明月，低头思故乡。", is_verse=True) == [
        "床前明月光，疑是地上霜。",
        "举头望明月，低头思故乡。",
    ]
    assert text_lines("床前明月光，\n疑是地上霜。", is_verse=True) == ["床前明月光，", "疑是地上霜。"]
    assert text_lines("第一句。第二句。\n\n 第二段。", is_verse=False) == ["第一句。第二句。", "第二段。"]


# Without JavaScript the page is one form


def test_a_form_saves_what_was_chosen_and_goes_on(
    as_alice: Client, study: Study, enrolment: Enrolment, alice: User
) -> None:
    first, second, *_ = placements(study, alice)
    response = as_alice.post(
        PAGE, {f"{first.token}.format": "4", f"{second.token}.overall": "10", "best": second.token}
    )
    assert response.headers["Location"] == "/studies/poems/subtasks/1/pages/2/"
    assert set(Rating.objects.values_list("candidate", "criterion__key", "score")) == {
        (first.candidate_id, "format", 4),
        (second.candidate_id, "overall", 10),
    }
    assert BestChoice.objects.get().candidate_id == second.candidate_id


def test_a_form_sent_again_adds_nothing_to_the_history(
    as_alice: Client, study: Study, enrolment: Enrolment, alice: User
) -> None:
    first = placements(study, alice)[0]
    for _ in range(2):
        as_alice.post(PAGE, {f"{first.token}.format": "4", "best": first.token})
    assert AnswerChange.objects.count() == 2


def test_a_form_is_later_than_an_answer_from_a_clock_that_is_ahead(
    as_alice: Client, study: Study, enrolment: Enrolment, alice: User
) -> None:
    first = placements(study, alice)[0]
    save_answer(alice, PageAddress("poems", 1, 1), Answer(first.token, 2**52, "format", 1))
    # Within one transaction, as here, the database's clock stands still.
    Rating.objects.update(saved_at=F("saved_at") - timedelta(seconds=1))
    as_alice.post(PAGE, {f"{first.token}.format": "5"})
    assert Rating.objects.get().score == 5


def test_a_form_with_a_score_off_its_scale_saves_nothing(
    as_alice: Client, study: Study, enrolment: Enrolment, alice: User
) -> None:
    first, second, *_ = placements(study, alice)
    response = as_alice.post(PAGE, {f"{first.token}.format": "6", f"{second.token}.format": "3"})
    assert response.status_code == 400
    assert (
        '<a href="#a-format">A Format: A score must be a whole number from 1 to 5.</a>'
        in response.content.decode()
    )
    assert not Rating.objects.exists()


def test_a_form_after_the_deadline_is_refused_with_a_message(
    as_alice: Client, study: Study, enrolment: Enrolment, alice: User
) -> None:
    Enrolment.objects.update(deadline=timezone.now() - timedelta(seconds=1))
    response = as_alice.post(PAGE, {f"{placements(study, alice)[0].token}.format": "3"})
    assert response.status_code == 403
    assert "The time for this study is over." in response.content.decode()
    assert not Rating.objects.exists()


def test_scales_follow_a_long_text_and_not_a_short_one(
    as_alice: Client, study: Study, enrolment: Enrolment
) -> None:
    Prompt.objects.update(genre="qa")
    assert 'class="cards cards-prose"' in shown(as_alice, PAGE)
    for text in ("word " * 100, "字" * 200):
        Candidate.objects.filter(placement__position=0).update(text=text)
        assert 'class="cards cards-long"' in shown(as_alice, PAGE)


def test_the_page_brings_its_style_and_its_policy_knows_that_alone(
    as_alice: Client, enrolment: Enrolment
) -> None:
    response = as_alice.get(PAGE)
    (style,) = re.findall(r"<style>(.*?)</style>", response.content.decode(), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = response.headers["Content-Security-Policy"]
    assert [part for part in policy.split("; ") if "style" in part] == [f"style-src 'self' 'sha256-{digest}'"]
    assert "@layer page" in style
    assert "style-src" not in as_alice.get("/studies/poems/").headers["Content-Security-Policy"]


def test_the_page_is_compressed_for_a_browser_that_can_read_it(
    as_alice: Client, enrolment: Enrolment
) -> None:
    plain = as_alice.get(PAGE)
    packed = as_alice.get(PAGE, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Prompt 1 of 2" in gzip.decompress(packed.content).decode()
    assert len(packed.content) < len(plain.content) / 3
