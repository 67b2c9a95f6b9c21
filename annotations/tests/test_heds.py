"""The data sheet of a study: filled in as far as the platform knows, blank where only the researchers do."""

from __future__ import annotations

import re
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotations.data_sheet import heds_markdown
from annotations.models import Enrolment, Study, StudyRole
from annotations.plan.plan import lock_plan
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.invitations import Invitee, invite, make_open_link, put_group
from annotations.tests.cast import answer_everything, build_study, build_user

QUESTIONS = [
    {
        "key": "years",
        "kind": "number",
        "label": {"en": "Years of study"},
        "choices": [],
        "is_required": True,
    },
    {
        "key": "dialect",
        "kind": "choice",
        "label": {"en": "Mother tongue", "zh-hans": "母语"},
        "choices": ["Mandarin", "another"],
        "is_required": False,
    },
    {
        "key": "town",
        "kind": "text",
        "label": {"en": "Home town"},
        "choices": [],
        "is_required": False,
    },
]


def answer_of(sheet: str, number: str, *, section: str = "") -> str:
    """Return what stands under a question of the sheet."""
    part = sheet[sheet.index(section) :] if section else sheet
    found = re.search(
        rf"^\*\*{re.escape(number)} [^*]+\*\*\n\n(.*?)(?=\n\n\*\*\w|\n\n## |\Z)", part, re.M | re.S
    )
    assert found, number
    return found[1]


def test_the_sheet_says_what_was_evaluated_and_how(study: Study, enrolment: Enrolment) -> None:
    sheet = heds_markdown(study)
    assert sheet.startswith("# Human evaluation data sheet: Poems on old themes\n")
    assert answer_of(sheet, "2.3") == "Poetry generation from a title."
    assert answer_of(sheet, "2.4").startswith("Outputs: Chinese.")
    assert answer_of(sheet, "2.5").startswith("4: Method 0, Method 1, Method 2, Method 3.")
    assert answer_of(sheet, "3.1.1") == "2, one for each prompt."
    assert (
        answer_of(sheet, "3.2.1")
        == "1 take part; 0 have begun, 0 finished, and 0 of these count as valid. 0 withdrew."
    )
    assert "at most 20\N{NO-BREAK SPACE}% inconsistent pages" in answer_of(sheet, "3.3.3")
    assert "7 days from enrolment" in answer_of(sheet, "3.3.5")


def test_each_criterion_has_a_section_with_the_words_of_the_page(study: Study) -> None:
    sheet = heds_markdown(study)
    section = "## 4 Quality criterion 2: Overall"
    assert answer_of(sheet, "4.3.1", section=section) == "Overall / 总体"
    assert answer_of(sheet, "4.3.3", section=section) == "10"
    assert answer_of(sheet, "4.3.4", section=section) == "1 to 10, whole numbers: poor to excellent."
    assert "How good is the poem as a whole? / 总的来说" in answer_of(sheet, "4.3.7", section=section)
    assert answer_of(sheet, "4.3.11", section=section) == "Not to be computed yet."
    assert "## 4 Quality criterion 3: the best text of a page" in sheet


@pytest.mark.parametrize("number", ["1.1", "4.1.1", "4.1.2", "4.1.3", "5.1", "5.4", "B4", "D4"])
def test_what_the_platform_cannot_know_is_a_marked_blank(study: Study, number: str) -> None:
    assert answer_of(heds_markdown(study), number).startswith("**To fill in:** ")


def test_every_question_has_an_answer_or_a_blank(study: Study) -> None:
    sheet = heds_markdown(study)
    numbers = re.findall(r"^\*\*([\d.]+|[A-D]\d) ", sheet, re.M)
    expected = [
        *("1.1", "1.2", "1.3", "2.1", "2.2", "2.3", "2.4", "2.5", "3.1.1", "3.1.2", "3.1.3"),
        *(f"3.2.{number}" for number in range(1, 6)),
        *(f"3.3.{number}" for number in range(1, 9)),
        *[f"4.{part}.{number}" for part, last in ((1, 3), (2, 3), (3, 11)) for number in range(1, last + 1)]
        * 2,
        *("4.1.1", "4.1.2", "4.1.3", "4.2.1", "4.2.2", "4.2.3", "4.3.3", "4.3.5", "4.3.8", "4.3.9"),
        *("5.1", "5.2", "5.3", "5.4", "B4", "B5", "B6", "C3", "C4", "D1", "D2", "D3", "D4", "D5"),
    ]
    assert numbers == expected


def test_recruiting_payment_consent_and_the_form_are_told(study: Study, carol: User) -> None:
    Study.objects.update(
        payment=Decimal(20), consent={"en": "You may stop at any time."}, questions=QUESTIONS, contact="Dr Li"
    )
    study.refresh_from_db()
    put_group(study, "experts", name={"en": "Experts"}, payment=Decimal(50), by=carol)
    invite(study, [Invitee(), Invitee()], by=carol)
    make_open_link(study, limit=30, by=carol, takes_external_ids=True)
    for number, form in enumerate(
        [
            {"years": 2, "dialect": "Mandarin", "town": "Suzhou"},
            {"years": 5},
            {"years": 3, "dialect": "Mandarin"},
        ]
    ):
        enrolment = enrol(study, build_user(f"evaluator-{number}"))
        Enrolment.objects.filter(pk=enrolment.pk).update(consented_at=enrolment.deadline, form_answers=form)
    sheet = heds_markdown(study)
    assert answer_of(sheet, "3.2.2").startswith("Paid: 20.00 CNY for a valid evaluator. Experts: 50.00 CNY.")
    assert answer_of(sheet, "3.2.3").startswith(
        "By 2 personal invitations, 0 of them sent by e-mail and 1 open links for up to 30 people in all, of people"
    )
    form = answer_of(sheet, "3.2.5")
    assert "- Years of study: 2 to 5, median 3 (of 3)" in form
    assert "- Mother tongue: Mandarin 2, another 0" in form
    assert "- Home town: answered by 1 in their own words" in form
    assert "Suzhou" not in sheet
    assert "3 agreed" in answer_of(sheet, "D3")
    assert "> You may stop at any time." in sheet
    assert "Dr Li" in answer_of(sheet, "3.3.6")


def test_a_locked_plan_stands_with_its_digest(study: Study) -> None:
    plan = lock_plan(
        study, staff=None, primary_criterion=study.criteria.get(is_overall=True), planned_evaluators=12
    )
    sheet = heds_markdown(study)
    assert plan.digest in answer_of(sheet, "3.3.1")
    assert "2 prompts, 12 evaluators" in answer_of(sheet, "3.1.3")


def test_a_sealed_study_has_a_sheet_without_numbers_by_method(
    study: Study, enrolment: Enrolment, bob: User
) -> None:
    before = heds_markdown(study)
    answer_everything(enrolment, best_method=1)
    answer_everything(enrol(study, bob), best_method=1)
    sheet = heds_markdown(study)
    # The only lines that change with the answers: the funnel and the agreement.
    changed = [line for line in sheet.splitlines() if line not in before.splitlines()]
    assert len(changed) <= 5
    assert not any("Method" in line or "method" in line for line in changed)
    assert "2 take part; 2 have begun, 2 finished" in answer_of(sheet, "3.2.1")
    assert answer_of(sheet, "4.3.11").startswith(
        "Between evaluators: Krippendorff's alpha 1.00 (ordinal) over 8 texts"
    )


@pytest.mark.parametrize("prompts", [2, 25])
def test_the_number_of_queries_is_constant(db: None, prompts: int, django_assert_num_queries: Any) -> None:
    study = build_study(prompts=prompts)
    for number in range(prompts // 8 + 1):
        enrol(study, build_user(f"evaluator-{number}"))
    with django_assert_num_queries(21):
        heds_markdown(study)


def test_the_sheet_is_a_file_for_those_who_analyse(
    study: Study, client: Client, alice: User, bob: User
) -> None:
    url = reverse("annotations:heds_file", args=["poems"])
    assert client.get(url).status_code == 302
    client.force_login(alice)
    assert client.get(url).status_code == 404
    StudyRole.objects.create(study=study, user=bob, role=StudyRole.Role.ANALYST)
    client.force_login(bob)
    response = client.get(url)
    assert response.content.decode() == heds_markdown(study)
    assert response["Content-Disposition"] == 'attachment; filename="poems-heds.md"'
    StudyRole.objects.update(role=StudyRole.Role.OBSERVER)
    assert client.get(url).status_code == 403


def test_the_command_writes_the_same(study: Study, tmp_path: Path) -> None:
    output = StringIO()
    call_command("export_heds", "poems", stdout=output)
    assert output.getvalue() == heds_markdown(study)
    call_command("export_heds", "poems", "--output", str(tmp_path / "sheet.md"), stderr=StringIO())
    assert (tmp_path / "sheet.md").read_text() == heds_markdown(study)
    with pytest.raises(CommandError, match="lost: no such study"):
        call_command("export_heds", "lost")
