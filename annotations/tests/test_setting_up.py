"""A study is begun as a draft, changed as far as its state allows, and asks by the criteria that it was given."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone

from annotations.access.fixed import CHANGEABLE
from annotations.access.permissions import studies_run_by
from annotations.imports.studies import import_study
from annotations.models import Page, StaffAct, Study, StudyRole
from annotations.plan.plan import lock_plan
from annotations.setup.lifecycle import close_study
from annotations.setup.rubrics import READY_MADE, load_rubric
from annotations.setup.study import change_study, create_study, replace_criteria
from annotations.tests.cast import build_study
from generation.files.candidates import CandidateFile
from generation.refusals import Refused

POEM = load_rubric("poem")
QUESTION = {
    "key": "age", "kind": "number", "label": {"en": "Your age", "zh-hans": "年龄"}, "choices": [], "is_required": True
}  # fmt: skip


@pytest.fixture
def draft(alice: User) -> Study:
    """A draft of alice's, without material."""
    return create_study(slug="tang", title={"en": "Tang poems"}, rubric=POEM, by=alice)


@pytest.fixture
def laid_out(draft: Study) -> Study:
    """A draft of twelve prompts with four texts each."""
    study = build_study(prompts=12)
    study.state = Study.State.DRAFT
    study.save(update_fields=["state"])
    return study


def acts(study: Study) -> list[tuple[str, str | None]]:
    found = StaffAct.objects.filter(study=study).order_by("pk")
    return list(found.values_list("act", "actor__username"))


def sizes(study: Study) -> list[int]:
    return [subtask.pages.count() for subtask in study.subtasks.all()]


def test_whoever_begins_a_study_owns_the_draft(draft: Study, alice: User) -> None:
    draft.refresh_from_db()
    assert (draft.state, draft.genre, str(draft.title)) == ("draft", "poem", "Tang poems")
    assert draft.instructions == POEM.instructions
    assert [criterion.key for criterion in draft.criteria.all()] == [one.key for one in POEM.criteria]
    assert StudyRole.objects.get(study=draft).user == alice
    assert acts(draft) == [("study.created", "alice")]


def test_study_from_the_command_line_has_no_owner(db: None) -> None:
    study = create_study(slug="tang", rubric=POEM, by=None)
    assert str(study.title) == "tang"
    assert not StudyRole.objects.exists()
    assert acts(study) == [("study.created", None)]


@pytest.mark.parametrize("slug", ["", "tang poems", "唐诗", "x" * 81, "new", "tang"])
def test_slug_that_cannot_be_begins_nothing(draft: Study, slug: str) -> None:
    with pytest.raises(ValidationError) as error:
        create_study(slug=slug, title={"en": "Tang"}, rubric=POEM, by=None)
    assert set(error.value.message_dict) == {"slug"}
    assert Study.objects.count() == 1


def test_import_cannot_take_the_name_of_an_address(db: None) -> None:
    with pytest.raises(ValidationError):
        import_study(CandidateFile("x.csv", "0", "poem", ()), slug="new", rubric=POEM)


def test_fields_change_and_the_act_names_them(draft: Study, alice: User) -> None:
    changed = change_study(
        draft, by=alice, title={"zh-hans": "唐诗"}, payment=Decimal(30), days_to_rate=7, questions=[QUESTION]
    )
    assert set(changed) == {"title", "payment", "questions"}, "seven days it had before"
    stored = Study.objects.get(pk=draft.pk)
    assert (stored.title, stored.payment, stored.questions) == (
        {"en": "Tang poems", "zh-hans": "唐诗"},
        Decimal(30),
        [QUESTION],
    )
    assert (draft.title["zh-hans"], draft.payment) == ("唐诗", Decimal(30))
    assert StaffAct.objects.filter(act="study.changed").get().details == {
        "fields": ["payment", "questions", "title"]
    }


def test_nothing_changed_is_no_act(draft: Study, alice: User) -> None:
    assert change_study(draft, by=alice, days_to_rate=7, title={"en": "Tang poems"}) == ()
    assert acts(draft) == [("study.created", "alice")]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"title": {"en": ""}}, {"title"}),
        ({"days_to_rate": 0}, {"days_to_rate"}),
        ({"days_to_rate": 366}, {"days_to_rate"}),
        ({"days_to_rate": "soon"}, {"days_to_rate"}),
        ({"prompts_per_subtask": 0}, {"prompts_per_subtask"}),
        ({"prompts_per_subtask": 101}, {"prompts_per_subtask"}),
        ({"hours_to_give_back": 0}, {"hours_to_give_back"}),
        ({"inconsistency_threshold": Decimal("1.1")}, {"inconsistency_threshold"}),
        ({"payment": Decimal(-1)}, {"payment"}),
        ({"currency": "cny"}, {"currency"}),
        ({"currency": "人民币"}, {"currency"}),
        ({"evaluators_per_subtask": 3}, {"subtasks_per_evaluator"}),
        ({"subtasks_per_evaluator": 3}, {"evaluators_per_subtask"}),
        ({"evaluators_per_subtask": 0, "subtasks_per_evaluator": 1}, {"evaluators_per_subtask"}),
        ({"questions": [{"key": "age"}]}, {"questions"}),
        ({"title": {"en": "x" * 201}}, {"title.en"}),
        ({"title": {"xx": "Tang"}}, {"title.xx"}),
    ],
)
def test_what_makes_no_study_is_told_by_field(draft: Study, fields: dict[str, Any], named: set[str]) -> None:
    with pytest.raises(ValidationError) as error:
        change_study(draft, by=None, contact="carol@example.org", **fields)
    assert set(error.value.message_dict) == named
    stored = Study.objects.get(pk=draft.pk)
    assert stored.contact == "", "nothing of it is stored"
    assert acts(draft) == [("study.created", "alice")]


def test_field_that_is_no_setting_is_a_mistake_of_the_caller(draft: Study) -> None:
    with pytest.raises(TypeError):
        change_study(draft, by=None, state="open")


@pytest.mark.parametrize("state", ["open", "paused"])
def test_after_the_launch_words_change_and_rules_do_not(draft: Study, state: str) -> None:
    Study.objects.filter(pk=draft.pk).update(state=state)
    change_study(draft, by=None, title={"en": "Poems"}, instructions={"en": "Read."}, contact="carol")
    for fields in (
        {"inconsistency_threshold": Decimal("0.3")},
        {"prompts_per_subtask": 5},
        {"consent": {"en": "I agree."}},
        {"payment": Decimal(1)},
        {"days_to_rate": 9, "title": {"en": "Other"}},
    ):
        with pytest.raises(Refused):
            change_study(draft, by=None, **fields)
    stored = Study.objects.get(pk=draft.pk)
    assert (str(stored.title), stored.days_to_rate, stored.consent) == ("Poems", 7, {})


def test_nothing_of_a_closed_study_changes(draft: Study) -> None:
    Study.objects.filter(pk=draft.pk).update(state="open", launched_at="2026-05-01T00:00Z")
    close_study(draft)
    with pytest.raises(Refused, match="closed"):
        change_study(draft, by=None, title={"en": "Other"})


def test_another_size_cuts_the_sub_tasks_anew(laid_out: Study) -> None:
    Study.objects.filter(pk=laid_out.pk).update(signed_off_at="2026-01-01T00:00Z")
    pages = Page.objects.filter(subtask__study=laid_out)
    prompts = [page.prompt_id for page in pages]
    shown = set(pages.values_list("prompt", "page_candidates__candidate", "page_candidates__study_method"))
    assert sizes(laid_out) == [10, 2]
    change_study(laid_out, by=None, prompts_per_subtask=5)
    assert sizes(laid_out) == [5, 5, 2]
    assert [page.prompt_id for page in pages.all()] == prompts
    again = set(pages.values_list("prompt", "page_candidates__candidate", "page_candidates__study_method"))
    assert again == shown
    assert Study.objects.get(pk=laid_out.pk).signed_off_at is None


def test_other_criteria_take_the_place_of_all(laid_out: Study, alice: User) -> None:
    Study.objects.filter(pk=laid_out.pk).update(signed_off_at="2026-01-01T00:00Z")
    replace_criteria(laid_out, POEM, by=alice)
    assert [one.key for one in laid_out.criteria.all()] == [one.key for one in POEM.criteria]
    stored = Study.objects.get(pk=laid_out.pk)
    assert stored.signed_off_at is None
    assert str(stored.title) == "Poems on old themes"
    assert acts(laid_out) == [("study.changed", "alice")]


def test_criteria_for_texts_of_another_kind_are_refused(laid_out: Study, draft: Study) -> None:
    with pytest.raises(Refused, match="another kind"):
        replace_criteria(laid_out, load_rubric("qa"), by=None)
    replace_criteria(draft, load_rubric("qa"), by=None)
    assert Study.objects.get(pk=draft.pk).genre == "qa", "without material it may be of any kind"


def test_criteria_are_fixed_by_launch_and_plan(laid_out: Study) -> None:
    with pytest.raises(Refused, match="launched"):
        replace_criteria(
            Study.objects.create(slug="running", title={"en": "x"}, launched_at=timezone.now()), POEM, by=None
        )
    lock_plan(laid_out, staff=None, primary_criterion=laid_out.criteria.get(key="overall"))
    with pytest.raises(Refused, match="plan"):
        replace_criteria(laid_out, POEM, by=None)
    with pytest.raises(Refused, match="rule of exclusion"):
        change_study(laid_out, by=None, inconsistency_threshold=Decimal("0.5"))
    assert laid_out.criteria.count() == 2


def test_list_of_ones_studies_takes_one_query(
    draft: Study, laid_out: Study, alice: User, bob: User, django_assert_num_queries: Any
) -> None:
    StudyRole.objects.create(study=laid_out, user=alice, role="observer")
    with django_assert_num_queries(1):
        found = [(one.slug, one.prompts, one.evaluators, one.role) for one in studies_run_by(alice)]  # type: ignore[attr-defined]
    assert found == [("poems", 12, 0, "observer"), ("tang", 0, 0, "owner")]
    assert list(studies_run_by(bob)) == []


def test_commands_begin_and_change_a_study(alice: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_study", "tang", "--rubric", "poem", "--title", "Tang", "--owner", "alice")
    call_command(
        "change_study", "tang", "--payment", "30.5", "--evaluators-per-subtask", "3",
        "--subtasks-per-evaluator", "2", "--rubric", "qa",
    )  # fmt: skip
    study = Study.objects.get(slug="tang")
    assert (study.payment, study.evaluators_per_subtask, study.genre) == (Decimal("30.5"), 3, "qa")
    assert "changed" in capsys.readouterr().out
    for wrong, said in (
        (["change_study", "tang", "--payment", "much"], "--payment"),
        (["change_study", "lost"], "no such study"),
        (["create_study", "tang", "--rubric", "poem"], "already"),
        (["create_study", "song", "--rubric", "lost.json"], "cannot be read"),
        (["create_study", "song", "--rubric", "poem", "--owner", "nobody"], "no such user"),
    ):
        with pytest.raises(CommandError, match=said):
            call_command(*wrong)
    assert Study.objects.count() == 1


def test_every_setting_is_a_field_of_the_study() -> None:
    assert {field.name for field in Study._meta.get_fields()} >= CHANGEABLE


@pytest.mark.parametrize("rubric", READY_MADE)
def test_ready_made_instructions_speak_of_picks_only_where_these_are_asked_for(db: None, rubric: str) -> None:
    study = create_study(slug="mine", rubric=load_rubric(rubric), by=None)
    asked = dict(study.instructions)
    # As the page of the settings sends it: with the words as they are.
    change_study(study, by=None, has_best_picks=False, instructions=asked)
    assert "pick" not in study.instructions["en"]
    assert "选" not in study.instructions["zh-hans"]
    change_study(study, by=None, has_best_picks=True)
    assert study.instructions == asked
    change_study(study, by=None, instructions={"en": "Pick freely."})
    change_study(study, by=None, has_best_picks=False)
    assert study.instructions["en"] == "Pick freely."
