"""Material is stored whole or not at all, in place of what a draft had, and looked at in a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from annotations.models import Page, PageCandidate, StaffAct, Study
from annotations.plan.plan import lock_plan
from annotations.setup.lifecycle import sign_off
from annotations.setup.material import MethodCheck, material_checks, store_material
from annotations.setup.rubrics import load_rubric
from annotations.setup.runs import add_run, start_run
from annotations.setup.study import create_study
from annotations.tests.cast import build_study, shown
from annotations.tests.test_generating import write_all
from generation.files.candidates import CandidateFile, read_candidates
from generation.files.prompts import PromptFile
from generation.models import Candidate, GenerationRun
from generation.prompts import PromptContent
from generation.refusals import Refused
from generation.runs.runs import cancel_run

TITLES = (PromptContent("春江"), PromptContent("秋夜", "写秋"), PromptContent("冬雪"))
PROMPTS = PromptFile("titles.txt", "ab", "poem", TITLES)


@pytest.fixture
def draft(db: None) -> Study:
    return create_study(slug="tang", rubric=load_rubric("poem"), by=None)


@pytest.fixture
def file(tmp_path: Path) -> CandidateFile:
    """Three prompts by two methods; the texts of `mine` have 6, 12 and 14 characters."""
    path = tmp_path / "candidates.csv"
    path.write_text(
        "prompt,method,text\n"
        "月,human,明月几时有。\n月,mine,一二三四五。\n"
        "花,human,花间一壶酒。\n花,mine,一二三四五，六七八九十。\n"
        "山,human,山中一夜雨。\n山,mine,一二三四五六，七八九十百千。\n"
    )
    return read_candidates(path, "poem")


def pages(study: Study) -> list[str]:
    return list(Page.objects.filter(subtask__study=study).values_list("prompt__text", flat=True))


def test_candidates_become_the_pages_of_a_draft(draft: Study, file: CandidateFile, alice: User) -> None:
    Study.objects.filter(pk=draft.pk).update(prompts_per_subtask=2)
    store_material(draft, file, by=alice)
    assert pages(draft) == ["月", "花", "山"]
    assert [subtask.pages.count() for subtask in draft.subtasks.all()] == [2, 1]
    assert PageCandidate.objects.filter(page__subtask__study=draft).count() == 6
    assert draft.text_language == Study.objects.get(pk=draft.pk).text_language == "zh"
    act = StaffAct.objects.filter(act="study.material").get()
    assert (act.actor, act.details) == (
        alice,
        {"file": "candidates.csv", "sha256": file.sha256, "prompts": 3, "methods": 2},
    )


def test_another_file_takes_the_place_of_the_first(draft: Study, file: CandidateFile) -> None:
    store_material(draft, file, by=None)
    sign_off(draft, by=None)
    store_material(draft, PROMPTS, by=None)
    assert pages(draft) == ["春江", "秋夜", "冬雪"]
    assert not draft.study_methods.exists()
    stored = Study.objects.get(pk=draft.pk)
    assert stored.signed_off_at is None
    assert Candidate.objects.count() == 6, "what was uploaded once is kept"


def test_workers_write_for_the_prompts_of_a_draft(draft: Study) -> None:
    store_material(draft, PROMPTS, by=None)
    for method, text in (("inverse_prompting", "新诗第{}首。"), ("search_baseline", "旧诗第{}首。")):
        study_run = start_run(draft, method)
        write_all(text.format)
        add_run(study_run)
    checks = material_checks(draft)
    assert checks.is_complete
    assert [method.texts for method in checks.methods] == [3, 3]


def test_material_waits_for_a_run_that_is_under_way(draft: Study, file: CandidateFile) -> None:
    store_material(draft, PROMPTS, by=None)
    study_run = start_run(draft, "inverse_prompting")
    with pytest.raises(Refused, match="under way"):
        store_material(draft, file, by=None)
    cancel_run(study_run.run)
    store_material(draft, file, by=None)
    assert not draft.study_runs.exists()
    assert GenerationRun.objects.filter(pk=study_run.run_id).exists()


def test_run_for_earlier_prompts_is_not_added(draft: Study, file: CandidateFile) -> None:
    store_material(draft, PROMPTS, by=None)
    study_run = start_run(draft, "inverse_prompting")
    write_all()
    store_material(draft, file, by=None)
    with pytest.raises(Refused, match="other prompts"):
        add_run(study_run)
    assert draft.study_methods.count() == 2


def test_material_of_another_kind_is_refused(draft: Study) -> None:
    with pytest.raises(Refused, match="another kind"):
        store_material(draft, PromptFile("x", "ab", "qa", (PromptContent("Why?"),)), by=None)
    assert pages(draft) == []


def test_material_is_fixed_by_launch_and_plan(draft: Study, file: CandidateFile) -> None:
    store_material(draft, file, by=None)
    lock_plan(draft, staff=None, primary_criterion=draft.criteria.get(key="overall"))
    with pytest.raises(Refused, match="plan"):
        store_material(draft, PROMPTS, by=None)
    Study.objects.filter(pk=draft.pk).update(state="open", launched_at="2026-05-01T00:00Z")
    with pytest.raises(Refused, match="launched"):
        store_material(draft, PROMPTS, by=None)
    assert pages(draft) == ["月", "花", "山"]


def test_checks_of_a_whole_study(draft: Study, file: CandidateFile) -> None:
    store_material(draft, file, by=None)
    checks = material_checks(draft)
    assert (checks.prompts, checks.subtasks, checks.smallest_subtask, checks.texts) == (3, 1, 3, 6)
    assert checks.is_complete
    assert checks.methods == (
        MethodCheck("human", "Human", "Human", 3, 0, 6, 6, 6),
        MethodCheck("mine", "mine", "mine", 3, 0, 6, 12, 14),
    )
    assert (checks.missing, checks.missing_at, checks.same, checks.same_texts) == (0, (), 0, ())


def test_checks_name_missing_and_repeated_texts(db: None) -> None:
    study = build_study(prompts=3, methods=2)
    one, other, third = PageCandidate.objects.filter(study_method__number=0).order_by("pk")
    one.delete()
    Candidate.objects.filter(pk__in=[other.candidate_id, third.candidate_id]).update(text="春眠不觉晓。")
    checks = material_checks(study)
    assert not checks.is_complete
    assert [(method.texts, method.missing) for method in checks.methods] == [(2, 1), (3, 0)]
    assert checks.missing == 1
    (lacking,) = checks.missing_at
    assert (lacking.prompt, lacking.subtask, lacking.page, lacking.missing) == ("poems 古题 1", 1, 1, 1)
    assert [(same.text, same.times) for same in checks.same_texts] == [("春眠不觉晓。", 2)]
    assert checks.same == 1


def test_nothing_is_checked_without_material(draft: Study) -> None:
    checks = material_checks(draft)
    assert (checks.prompts, checks.subtasks, checks.texts, checks.methods) == (0, 0, 0, ())
    assert not checks.is_complete


@pytest.mark.parametrize("prompts", [2, 60])
def test_checks_take_five_queries_however_large_the_study_is(
    db: None, prompts: int, django_assert_num_queries: Any
) -> None:
    study = build_study(prompts=prompts)
    with django_assert_num_queries(5):
        material_checks(study)


def test_command_stores_and_tells(draft: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    titles = tmp_path / "titles.txt"
    titles.write_text("春江\n秋夜\n")
    call_command("upload_material", "tang", str(titles), "--prompts-only")
    assert pages(draft) == ["春江", "秋夜"]
    assert "at least two methods" in capsys.readouterr().out
    bad = tmp_path / "bad.csv"
    bad.write_text("prompt,method,text\n月,human,\n")
    with pytest.raises(CommandError, match=r"(?s)^Nothing was stored\.\n.*line 2, text: is empty"):
        call_command("upload_material", "tang", str(bad))
    assert pages(draft) == ["春江", "秋夜"], "bad input stores nothing"
    good = tmp_path / "good.csv"
    good.write_text("prompt,method,text\n月,human,明月几时有。\n月,mine,海上生明月。\n")
    call_command("upload_material", "tang", str(good))
    assert "sign_off_study tang" in capsys.readouterr().out
    with pytest.raises(CommandError, match="no such study"):
        call_command("upload_material", "lost", str(good))


def test_the_methods_of_the_site_are_named_in_the_reader_s_language(
    draft: Study, file: CandidateFile, client: Client, carol: User
) -> None:
    store_material(draft, file, by=None)
    client.force_login(carol)
    for address in ("material/", "runs/"):
        page = shown(client, f"/manage/studies/tang/{address}", "zh-hans")
        assert "人类" in page
        assert "Human" not in page
        assert "mine" in page, "a method of one's own keeps its name"


def test_a_rule_that_looks_at_all_texts_does_not_speak_of_the_first_ones(
    draft: Study, file: CandidateFile, client: Client, carol: User
) -> None:
    store_material(draft, file, by=None)
    client.force_login(carol)
    page = shown(client, "/manage/studies/tang/material/")
    assert "of the first" not in page
    assert "It changes nothing in the texts." in page
