"""What a paper should report: shown before the launch with the plan, and in the report."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from django.contrib.auth.models import User
from django.test import Client

from annotations.access.roles import give_role
from annotations.imports.ratings import import_ratings
from annotations.models import Invitation, Study, StudyRole
from annotations.plan.plan import lock_plan, locked_plan
from annotations.plan.reportable import reportable
from annotations.recruiting.invitations import Invitee, invite
from annotations.results.document import report_document
from annotations.results.report import study_report
from annotations.tests.cast import shown
from annotations.tests.rating_files import found_in, long_rows, write_csv


def said(study: Study) -> set[str]:
    return {one.key for one in reportable(study, locked_plan(study)) if one.is_said}


def test_twenty_things_are_numbered(study: Study) -> None:
    listed = reportable(study, None)
    assert [one.number for one in listed] == list(range(1, 21))
    assert len({one.key for one in listed}) == 20
    assert all(one.where for one in listed)


def test_what_the_site_knows_is_said_and_the_rest_is_left_to_the_authors(study: Study, carol: User) -> None:
    assert {"rationale", "selection", "admission", "limitations"}.isdisjoint(said(study))
    assert {"power", "payment", "recruitment", "ethics"}.isdisjoint(said(study))
    Study.objects.update(payment=20, consent={"en": "You may stop at any time."})
    study.refresh_from_db()
    lock_plan(
        study, staff=None, primary_criterion=study.criteria.get(is_overall=True), planned_effect=Decimal("0.5"),
        planned_evaluators=12,
    )  # fmt: skip
    invite(study, [Invitee()], by=carol)
    assert Invitation.objects.filter(study=study).exists()
    assert {"power", "payment", "recruitment", "ethics", "evaluators"} <= said(study)


def test_the_list_stands_with_the_plan_before_the_launch(study: Study, client: Client, bob: User) -> None:
    Study.objects.update(state=Study.State.DRAFT, launched_at=None)
    give_role(study, bob, StudyRole.Role.OWNER, by=None)
    client.force_login(bob)
    page = shown(client, "/studies/poems/plan/")
    part = page[page.index('id="reportable"') :]
    assert "of 20 are said by the site. The list is ours" in part
    assert part.count('<th scope="row">') == 20
    assert "论文应报告的内容" in shown(client, "/studies/poems/plan/", "zh-hans")


def test_the_report_has_the_list_and_knows_less_of_ratings_from_elsewhere(db: None, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "long.csv", long_rows())
    import_ratings(found_in(path), slug="elsewhere")
    report = study_report(Study.objects.get(slug="elsewhere"))
    known = {one.key for one in report.reportable if one.is_said}
    assert {"interface", "recruitment", "quality", "payment"}.isdisjoint(known)
    assert {"criteria", "sample", "agreement", "exclusions", "tests"} <= known
    section = next(one for one in report_document(report).sections if one.key == "reporting")
    assert section.title == "What a paper should report"
    assert report.as_dict()["reportable"][0]["key"] == "criteria"
