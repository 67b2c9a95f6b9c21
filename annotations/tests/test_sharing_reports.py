"""The report of a closed study can be read by a link, for a time, by whoever has it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from pytest_django import Settings

from annotations.access.roles import give_role
from annotations.models import ReportLink, StaffAct, Study, StudyRole
from annotations.plan.simulation import simulate_ratings
from annotations.results.sharing import READINGS, share_report
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import build_study, build_user, shown
from generation.web.once import new_nonce

RESULTS = "/studies/poems/results/"


@pytest.fixture
def closed(db: None) -> Study:
    study = build_study(prompts=3, methods=2)
    simulate_ratings(study, evaluators=3, seed=1)
    close_study(study)
    return study


@pytest.fixture
def owner(closed: Study) -> Client:
    user, client = build_user("dora"), Client()
    give_role(closed, user, StudyRole.Role.OWNER, by=None)
    client.force_login(user)
    return client


def share(client: Client, days: int = 30, nonce: str = "") -> str:
    """Make a link and return the path that the page of the results shows."""
    client.post(f"{RESULTS}share/", {"days": days, "nonce": nonce or new_nonce()})
    found = re.search(r"http://testserver(/reports/[\w-]{22}/)", shown(client, RESULTS))
    assert found
    return found[1]


def test_whoever_has_the_link_reads_the_report_without_an_account(owner: Client) -> None:
    path = share(owner)
    page = shown(Client(), path)
    assert "3 evaluators are simulated: these are not results about people." in page
    assert "Differences on the primary criterion, Overall, in points" in page
    assert "/studies/poems/" not in page
    assert "总体" in shown(Client(), path, "zh-hans")
    assert Client().get(path).headers["X-Robots-Tag"] == "noindex"
    assert ReportLink.objects.get().opened_at is not None


def test_making_and_ending_a_link_is_logged_and_an_ended_one_opens_nothing(owner: Client) -> None:
    path = share(owner)
    link = ReportLink.objects.get()
    asked = shown(owner, f"{RESULTS}share/{link.uuid}/end/")
    assert "End this link to the report?" in asked
    assert Client().get(path).status_code == 200
    owner.post(f"{RESULTS}share/{link.uuid}/end/")
    owner.post(f"{RESULTS}share/{link.uuid}/end/")
    assert Client().get(path).status_code == 404
    acts = list(StaffAct.objects.filter(act__startswith="report.").values_list("act", flat=True))
    assert sorted(acts) == ["report.shared", "report.unshared"]


def test_a_link_opens_nothing_after_its_time(owner: Client) -> None:
    path = share(owner, days=7)
    ReportLink.objects.update(
        created_at=F("created_at") - timedelta(days=8), expires_at=F("expires_at") - timedelta(days=8)
    )
    assert Client().get(path).status_code == 404


def test_only_who_made_a_link_sees_its_address_again(owner: Client, closed: Study) -> None:
    path = share(owner)
    other = build_user("carol", is_staff=True)
    client = Client()
    client.force_login(other)
    page = shown(client, RESULTS)
    assert path not in page
    assert "A link by dora, who can see it here." in page


def test_the_database_alone_gives_no_link(owner: Client, settings: Settings) -> None:
    path = share(owner)
    settings.SECRET_KEY = "another"
    settings.SECRET_KEY_FALLBACKS = []
    link = ReportLink.objects.get()
    assert link.nonce not in path
    from annotations.results.sharing import address_of

    assert address_of(link) == ""


def test_a_form_sent_twice_makes_one_link(owner: Client) -> None:
    nonce = new_nonce()
    assert share(owner, nonce=nonce) == share(owner, nonce=nonce)
    assert ReportLink.objects.count() == 1


def test_an_open_study_cannot_be_shared_nor_by_an_analyst(owner: Client, closed: Study) -> None:
    analyst, client = build_user("bea"), Client()
    give_role(closed, analyst, StudyRole.Role.ANALYST, by=None)
    client.force_login(analyst)
    assert client.post(f"{RESULTS}share/", {"days": 7}).status_code == 403
    assert "Share this report" not in shown(client, RESULTS)
    Study.objects.update(state="open")
    answered = owner.post(f"{RESULTS}share/", {"days": 7}, follow=True).content.decode()
    assert "A report can be shared once its study is closed." in answered
    assert not ReportLink.objects.exists()


def test_a_link_is_read_only_so_often(closed: Study) -> None:
    link = share_report(closed, days=7, by=None)
    from annotations.results.sharing import token_of
    from generation.web.quotas import TooMany, take

    path = f"/reports/{token_of(closed, link.nonce).text}/"
    assert Client().get(path).status_code == 200
    with pytest.raises(TooMany):
        for _ in range(READINGS.an_hour + 1):
            take(READINGS, link.token_hash)
    assert Client().get(path).status_code == 429


def test_what_is_no_token_opens_nothing(db: None) -> None:
    assert Client().get("/reports/nothing/").status_code == 404
    assert Client().get(f"/reports/{'x' * 22}/").status_code == 404


def test_each_table_of_a_report_can_be_copied_as_latex(owner: Client) -> None:
    page = owner.get(RESULTS).content.decode()
    assert page.count('<details class="as-latex">') == page.count("<table>")
    first = page[page.index('id="latex-summary-') :]
    latex = first[: first.index("</pre>")]
    assert r"\caption{Differences on the primary criterion, Overall, in points}" in latex
    assert r"Method 1 $-$ Method 0 &amp; " in latex
    assert r"\label" not in latex
