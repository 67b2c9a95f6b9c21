"""A study is set up on pages: begun, filled, signed off, launched and paused, by those who run it alone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotations.models import Enrolment, Page, StaffAct, Study, StudyRole
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import answer_everything, build_study, build_user, shown
from generation.models import Candidate

LIST = "/manage/studies/"
NEW = "/manage/studies/new/"
SETUP = "/manage/studies/poems/"
GOOD = "prompt,method,text\n月,human,明月几时有。\n月,mine,海上生明月。\n"
GETS = ["setup", "study_settings", "consent_settings", "criteria", "material", "preview", "close"]
POSTS = ["rubric", "upload_candidates", "upload_prompts", "sign_off", "pause", "resume"]


def upload(content: str, name: str = "mine.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content.encode())


@pytest.fixture
def draft(alice: User) -> Study:
    """A draft of alice's with two pages of four texts each."""
    study = build_study()
    Study.objects.filter(pk=study.pk).update(state="draft")
    StudyRole.objects.create(study=study, user=alice, role="owner")
    return study


@pytest.fixture
def maker(client: Client, alice: User) -> Client:
    """Alice, who is no administrator and may begin studies."""
    alice.user_permissions.add(Permission.objects.get(codename="add_study"))
    client.force_login(alice)
    return client


def begun(**changed: Any) -> dict[str, Any]:
    return {"title_en": "Tang poems", "slug": "tang", "rubric": "poem"} | changed


def wrong(response: Any, *messages: str) -> None:
    """Check that a page refuses what was sent, says why and links to where; white space beside tags is left out."""
    page = re.sub(r"\s*(<[^>]*>)\s*", r"\1", response.content.decode())
    assert response.status_code == 400
    assert 'role="alert"' in page
    for message in messages:
        assert message in page, message


def test_new_study_is_begun_and_leads_to_what_it_needs(maker: Client, alice: User) -> None:
    response = maker.post(NEW, begun(), follow=True)
    assert response.redirect_chain == [("/manage/studies/tang/", 302)]
    study = Study.objects.get()
    assert (study.state, str(study.title), study.criteria.count()) == ("draft", "Tang poems", 5)
    assert StudyRole.objects.get().user == alice
    page = " ".join(response.content.decode().split())
    assert "The study has no prompts: upload its material." in page
    assert page.count('class="button"') == 1, "one primary action"


def test_rubric_of_ones_own_comes_from_a_file(maker: Client) -> None:
    own = '{"genre": "qa", "criteria": [{"key": "all", "label_en": "All", "is_overall": true}]}'
    maker.post(NEW, begun(rubric="file", rubric_file=upload(own, "mine.json")))
    assert Study.objects.get().genre == "qa"
    wrong(maker.post(NEW, begun(slug="b", rubric="file")), "Choose the file with your rubric.")
    bad = upload('{"genre": "ode", "criteria": []}', "<b>.json")
    response = maker.post(NEW, begun(slug="b", rubric="file", rubric_file=bad))
    wrong(response, "must be one of poem, qa", "must be a list of 1 to 20 criteria", "criteria</td>")
    assert "<b>" not in response.content.decode()
    assert Study.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "anchor"),
    [
        ({"title_en": ""}, "id_title_en"),
        ({"slug": ""}, "id_slug"),
        ({"slug": "唐诗"}, "id_slug"),
        ({"slug": "new"}, "id_slug"),
        ({"slug": "poems"}, "id_slug"),
        ({"rubric": "ode"}, "id_rubric"),
    ],
)
def test_what_is_wrong_begins_nothing(
    maker: Client, study: Study, fields: dict[str, Any], anchor: str
) -> None:
    response = maker.post(NEW, begun(**fields))
    wrong(response, f'<a href="#{anchor}">')
    assert f'id="{anchor}"' in response.content.decode()
    assert Study.objects.count() == 1


def test_who_may_not_begin_a_study_is_not_offered_one(as_alice: Client) -> None:
    assert as_alice.get(NEW).status_code == 403
    assert as_alice.post(NEW, begun()).status_code == 403
    assert "New study" not in shown(as_alice, LIST)
    assert "You have no part in running a study." in shown(as_alice, LIST)
    assert not Study.objects.exists()


def test_list_shows_ones_own_part(draft: Study, as_alice: Client) -> None:
    build_study(slug="other", prompts=1)
    page = shown(as_alice, LIST)
    assert "Poems on old themes" in page
    assert f'href="{SETUP}"' in page
    assert re.search(r"<td> ?owner ?</td>", page)
    assert "/other/" not in page
    StudyRole.objects.update(role="analyst")
    assert 'href="/studies/poems/results/"' in shown(as_alice, LIST)


@pytest.mark.parametrize("name", GETS + POSTS)
def test_set_up_is_for_those_who_run_the_study(draft: Study, client: Client, name: str) -> None:
    url = reverse(f"annotations:{name}", args=["poems"])
    ask = client.post if name in POSTS else client.get
    before = Study.objects.values().get()
    assert ask(url).status_code == 302, "to the log-in"
    client.force_login(build_user("stranger"))
    assert ask(url).status_code == 404
    for number, role in enumerate(("observer", "analyst")):
        user = build_user(f"user{number}")
        StudyRole.objects.create(study=draft, user=user, role=role)
        client.force_login(user)
        assert ask(url).status_code == 403
    client.force_login(build_user("dora", is_staff=True))
    assert ask(url).status_code in ({200} if name in GETS else {302, 400})
    if name in POSTS:
        assert client.get(url).status_code == 405
    else:
        assert Study.objects.values().get() == before, "looking changes nothing"


def test_words_and_rules_are_changed(draft: Study, as_alice: Client) -> None:
    url = f"{SETUP}settings/"
    page = as_alice.get(url).content.decode()
    sent = dict(re.findall(r'<input[^>]* name="(\w+)" value="([^"]*)"', page))
    sent |= {"title_en": "Tang", "payment": "30.5", "currency": "eur", "instructions_en": "Read."}
    assert as_alice.post(url, sent).status_code == 302
    draft.refresh_from_db()
    assert (str(draft.title), str(draft.payment), draft.currency) == ("Tang", "30.50", "EUR")
    response = as_alice.post(url, sent | {"days_to_rate": "0", "evaluators_per_subtask": "3"})
    wrong(response, '<a href="#id_days_to_rate">')
    response = as_alice.post(url, sent | {"evaluators_per_subtask": "3"})
    wrong(response, "Give both numbers, or neither", '<a href="#id_subtasks_per_evaluator">')


def test_fixed_settings_are_shown_and_not_taken(draft: Study, as_alice: Client) -> None:
    Study.objects.update(state="open", launched_at="2026-05-01T00:00Z")
    url = f"{SETUP}settings/"
    assert re.search(r'name="inconsistency_threshold"[^>]* disabled', as_alice.get(url).content.decode())
    sent = {"title_en": "Tang", "hours_to_give_back": "24", "inconsistency_threshold": "0.9", "payment": "99"}
    sent |= {"interface_languages": "en"}
    assert as_alice.post(url, sent).status_code == 302
    draft.refresh_from_db()
    assert (str(draft.title), draft.hours_to_give_back, int(draft.payment)) == ("Tang", 24, 0)
    Study.objects.update(state="closed")
    assert ">Save<" not in shown(as_alice, url)
    as_alice.post(url, sent | {"title_en": "Song"})
    draft.refresh_from_db()
    assert str(draft.title) == "Tang"


def formset(prefix: str, rows: list[dict[str, Any]], initial: int = 0) -> dict[str, Any]:
    sent: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": initial}
    for number, row in enumerate(rows):
        sent |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return sent


def criterion(key: str, **changed: Any) -> dict[str, Any]:
    return {"key": key, "label_en": key, "minimum": "1", "maximum": "5"} | changed


def test_criteria_are_edited_in_rows(draft: Study, as_alice: Client) -> None:
    url = f"{SETUP}criteria/"
    rows = [
        criterion("format", DELETE="on"),
        criterion("overall", maximum="7", is_overall="on"),
        criterion("tone", label_en="", label_zh_hans="声调"),
        {"key": "", "minimum": "1", "maximum": "5"},
    ]
    assert as_alice.post(url, formset("form", rows, initial=2)).status_code == 302
    found = draft.criteria.values_list("key", "label", "maximum", "is_overall")
    assert list(found) == [("overall", {"en": "overall"}, 7, True), ("tone", {"zh-hans": "声调"}, 5, False)]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [criterion("a", is_overall="on"), criterion("b", is_overall="on")],
            "Mark at most one criterion as the overall one.",
        ),
        ([criterion("a", is_overall="on"), criterion("a")], "The key a stands twice"),
        ([criterion("a", is_overall="on", DELETE="on")], "at least one criterion"),
        ([criterion("a", is_overall="on", label_en="")], "Give the criterion a name"),
        ([criterion("a b")], "Only English letters, digits, - and _ are possible."),
        ([criterion("a", is_overall="on", minimum="5")], "The lowest score must be below the highest."),
        ([criterion("a", is_overall="on", minimum="-101")], "greater than or equal to -100"),
        ([criterion("a", is_overall="on", label_en="a\x01")], "holds a control character"),
        ([criterion(f"c{number}") for number in range(21)], "20"),
    ],
)
def test_wrong_criteria_change_nothing(
    draft: Study, as_alice: Client, rows: list[dict[str, Any]], message: str
) -> None:
    wrong(as_alice.post(f"{SETUP}criteria/", formset("form", rows)), message)
    assert list(draft.criteria.values_list("key", flat=True)) == ["format", "overall"]


def test_rubric_replaces_all_criteria(draft: Study, as_alice: Client) -> None:
    url = f"{SETUP}criteria/rubric/"
    wrong(as_alice.post(url, {"rubric": "poem"}), "Tick the box to replace what there is.")
    assert draft.criteria.count() == 2
    meant = {"rubric": "poem", "is_meant": "on"}
    assert as_alice.post(url, meant).status_code == 302
    assert draft.criteria.count() == 5
    wrong(as_alice.post(url, meant | {"rubric": "qa"}), "another kind")
    wrong(as_alice.post(url, {}), '<a href="#id_rubric">')
    Study.objects.update(state="open", launched_at="2026-05-01T00:00Z")
    wrong(as_alice.post(url, meant), "has been launched")
    assert "Save the criteria" not in shown(as_alice, f"{SETUP}criteria/")


def question(label: str, **changed: Any) -> dict[str, Any]:
    return {"label_en": label, "kind": "text"} | changed


def test_consent_and_its_form_are_edited(draft: Study, as_alice: Client) -> None:
    url = f"{SETUP}consent/"
    rows = [question("Field of study"), question("Age", kind="choice", choices="under 30\n 30 and over \n")]
    sent = formset("questions", rows) | {"consent_en": "I agree."}
    assert as_alice.post(url, sent).status_code == 302
    draft.refresh_from_db()
    assert str(draft.consent) == "I agree."
    assert [(one["key"], one["choices"]) for one in draft.questions] == [
        ("q1", []),
        ("q2", ["under 30", "30 and over"]),
    ]
    rows = [question("Field", key="q1", DELETE="on"), question("Age", key="q2"), question("Poems read")]
    as_alice.post(url, formset("questions", rows, initial=2))
    draft.refresh_from_db()
    assert [(one["key"], one["kind"]) for one in draft.questions] == [("q2", "text"), ("q1", "text")]
    response = as_alice.post(url, formset("questions", [question("Age", kind="choice", choices="one")]))
    wrong(response, "Question 1: it needs 2 to 20 different choices.")
    Study.objects.update(state="open", launched_at="2026-05-01T00:00Z")
    wrong(as_alice.post(url, formset("questions", [question("Age")])), "what evaluators agree to is fixed")


def sent(client: Client, content: str, name: str = "mine.csv", **said: str) -> Any:
    """Upload a file with candidates and confirm that its columns are prompt, method and text."""
    waits = client.post(f"{SETUP}material/candidates/", {"candidates": upload(content, name)})
    columns = {f"column-{number}": column for number, column in enumerate(("prompt", "method", "text"))}
    return client.post(waits.headers["Location"], {**columns, **said})


def test_material_is_uploaded_and_shown_in_a_table(draft: Study, as_alice: Client) -> None:
    wrong(sent(as_alice, GOOD), "Tick the box to replace what there is.")
    assert Page.objects.count() == 2, "what there was stays"
    assert sent(as_alice, GOOD, is_meant="on").headers["Location"] == f"{SETUP}material/"
    page = " ".join(shown(as_alice, f"{SETUP}material/").split())
    assert "Every prompt has a text by every method." in page
    assert re.search(
        r'<th scope="row">Human</th> *<td class="number">1</td> *<td class="number">0</td>', page
    )
    assert Page.objects.get().prompt.text == "月"
    assert StaffAct.objects.get(act="study.material").details["file"] == "mine.csv"


def test_every_problem_of_a_file_is_listed_with_its_place(draft: Study, as_alice: Client) -> None:
    url = f"{SETUP}material/candidates/"
    before = Candidate.objects.count()
    response = sent(as_alice, "prompt,method,text\n月,human,\n花,<script>,x\n", "<img>.csv", is_meant="on")
    wrong(response, "<td>line 2</td><td>text</td><td>is empty</td>")
    assert "<script>" not in response.content.decode()
    assert "<img>" not in response.content.decode()
    response = sent(as_alice, "prompt,method,text\n" + "月,human,\n" * 150, is_meant="on")
    wrong(response, "<td>is empty (150 of this kind: lines 2, 3, 4, 5, 6, …)</td>")
    wrong(as_alice.post(url, {}), '<a href="#id_candidates">')
    wrong(as_alice.post(url, {"candidates": upload("")}), "empty")
    assert Candidate.objects.count() == before
    assert Page.objects.count() == 2, "what there was stays"


def test_too_large_a_file_is_refused_before_it_is_read(draft: Study, as_alice: Client, settings: Any) -> None:
    settings.UPLOAD_MEGABYTES = 0
    before = list(Page.objects.order_by("pk").values())
    wrong(as_alice.post(f"{SETUP}material/candidates/", {"candidates": upload(GOOD)}), "more than 0 MB")
    wrong(
        as_alice.post(f"{SETUP}material/prompts/", {"prompts_file": upload("月"), "is_meant": "on"}),
        "more than 0 MB",
    )
    assert list(Page.objects.order_by("pk").values()) == before


def test_prompts_are_typed_or_uploaded(draft: Study, as_alice: Client) -> None:
    url = f"{SETUP}material/prompts/"
    Page.objects.all().delete()
    draft.subtasks.all().delete()
    assert "Replace the prompts" not in shown(as_alice, f"{SETUP}material/"), "there is nothing yet"
    for _press in range(2):
        sent = {"prompts": "春江\n秋夜\n", "nonce": "n" * 22}
        assert as_alice.post(url, sent).status_code == 302
    assert Page.objects.count() == 2
    wrong(as_alice.post(url, {"prompts": "花"}), "Tick the box to replace what there is.")
    page = shown(as_alice, f"{SETUP}material/")
    assert "The prompts have no texts yet" in page
    assert "/manage/studies/poems/runs/" in page
    assert as_alice.get("/manage/studies/poems/runs/").status_code == 200
    described = upload("prompt,description\n月,写月\n")
    assert as_alice.post(url, {"prompts_file": described, "is_meant": "on"}).status_code == 302
    assert Page.objects.get().prompt.description == "写月"
    wrong(
        as_alice.post(url, {"prompts": "月\n\n月", "is_meant": "on"}),
        "<td>line 3</td><td>prompt</td>",
    )
    wrong(as_alice.post(url, {"is_meant": "on"}), "one of the two")
    both = {"prompts": "月", "prompts_file": upload("花"), "is_meant": "on"}
    wrong(as_alice.post(url, both), "one of the two")
    Study.objects.update(state="open", launched_at="2026-05-01T00:00Z")
    wrong(as_alice.post(url, {"prompts": "花", "is_meant": "on"}), "has been launched")


def test_draft_is_signed_off_launched_paused_and_resumed(draft: Study, as_alice: Client) -> None:
    page = shown(as_alice, SETUP)
    assert "Nobody has signed the material off." in page
    assert "Launch the study" not in page
    wrong(as_alice.post(f"{SETUP}launch/"), "The study is not launched", "Nobody has signed")
    assert as_alice.get(f"{SETUP}launch/").headers["Location"] == SETUP, "there is nothing to ask yet"
    for act, state in (("sign-off", "draft"), ("launch", "open"), ("pause", "paused"), ("resume", "open")):
        response = as_alice.post(f"{SETUP}{act}/", {"without_plan": "1"}, follow=True)
        assert response.redirect_chain == [(SETUP, 302)]
        draft.refresh_from_db()
        assert draft.state == state
    assert draft.signed_off_at
    assert as_alice.get(f"{SETUP}launch/").headers["Location"] == SETUP, "it is launched already"
    assert "Invite evaluators" in shown(as_alice, SETUP)
    wrong(as_alice.post(f"{SETUP}sign-off/"), "The material is not signed off")
    as_alice.post(f"{SETUP}close/")
    response = as_alice.post(f"{SETUP}pause/", follow=True)
    assert "The study is closed for good." in response.content.decode()


def test_launching_asks_first_and_says_what_becomes_fixed(draft: Study, as_alice: Client) -> None:
    Study.objects.update(signed_off_at=timezone.now())
    page = shown(as_alice, f"{SETUP}launch/")
    assert "Launch “Poems on old themes”?" in page
    assert "Prompts: 2 · methods: 4 · criteria: 2 · sub-tasks: 1" in page
    assert Study.objects.get().state == "draft", "asking changes nothing"
    assert re.findall(r'<(\w+) [^>]*="[^"]*/launch/"', shown(as_alice, SETUP)) == ["a"]


def test_closing_asks_first_and_says_who_is_still_answering(
    as_alice: Client, draft: Study, django_assert_num_queries: Any
) -> None:
    assert "The study has not been launched." in shown(as_alice, f"{SETUP}close/")
    Study.objects.update(state=Study.State.OPEN, launched_at="2026-05-01T00:00Z")
    assert "Nobody is answering who has time left." in shown(as_alice, f"{SETUP}close/")
    at_work, late, done = (enrol(draft, build_user(name)) for name in ("at work", "late", "done"))
    answer_everything(done)
    Enrolment.objects.filter(pk=late.pk).update(deadline=timezone.now())
    page = shown(as_alice, f"{SETUP}close/")
    assert "1 evaluator is still answering and has time left" in page
    assert re.findall(r"<li>(E00\d) <span class=\"hint\">(.*?)</span>", page) == [
        (at_work.pseudonym, "0 / 18")
    ]
    assert Study.objects.get().state == "open"
    # The set-up leads there and closes nothing itself.
    assert re.findall(r'<(\w+) [^>]*="[^"]*/close/"', shown(as_alice, SETUP)) == ["a"]
    as_alice.post(f"{SETUP}close/")
    assert Study.objects.get().state == "closed"
    assert "The study is closed for good." in shown(as_alice, f"{SETUP}close/")


@pytest.mark.parametrize(
    ("path", "queries"), [("", 13), ("material/", 10), ("settings/", 2), ("criteria/", 6), ("preview/", 3)]
)
@pytest.mark.parametrize("prompts", [2, 30])
def test_pages_take_the_same_queries_however_large_the_study_is(
    as_alice: Client, alice: User, path: str, queries: int, prompts: int, django_assert_num_queries: Any
) -> None:
    study = build_study(prompts=prompts)
    Study.objects.filter(pk=study.pk).update(state="draft")
    StudyRole.objects.create(study=study, user=alice, role="owner")
    with django_assert_num_queries(queries):
        assert as_alice.get(f"{SETUP}{path}").status_code == 200
