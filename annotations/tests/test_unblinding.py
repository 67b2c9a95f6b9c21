"""Numbers are sealed while people answer: opened by closing the study, or by an act that is logged."""

from __future__ import annotations

import io
import json
import re
import uuid
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse
from django.urls.converters import UUIDConverter

from annotations import urls
from annotations.models import BestChoice, Enrolment, PageCandidate, Rating, Study, Unblinding
from annotations.recruiting.enrolment import enrol
from annotations.results.report import study_report
from annotations.results.report_formats import FORMATS
from annotations.results.seal import is_sealed, unblind
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import answer_everything, build_user
from generation.refusals import Refused

REASON = "A candidate shows the wrong text."


@pytest.fixture
def sealed(study: Study, enrolment: Enrolment) -> Study:
    """The study of two pages, open, and answered in full by alice."""
    answer_everything(enrolment)
    return study


def assert_refused(write: Callable[[], Any], match: str) -> None:
    """Deferred triggers run at the end of the transaction, so they are called in before it."""
    with pytest.raises(IntegrityError, match=match), transaction.atomic():
        write()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_study_is_sealed_from_its_first_evaluator_on(study: Study, alice: User) -> None:
    assert not is_sealed(study)
    enrol(study, alice)
    assert is_sealed(study)


def test_whether_a_study_is_sealed_takes_one_query(
    sealed: Study, bob: User, django_assert_num_queries: Any
) -> None:
    enrol(sealed, bob)
    with django_assert_num_queries(1):
        assert is_sealed(sealed)
    assert list(Study.objects.sealed()) == [sealed]


@pytest.mark.parametrize("source", [Enrolment.Source.SIMULATED, Enrolment.Source.IMPORTED])
def test_a_study_without_people_is_not_sealed(sealed: Study, source: str) -> None:
    Enrolment.objects.update(source=source)
    assert not is_sealed(sealed)


def test_closing_opens_the_numbers(sealed: Study) -> None:
    assert close_study(sealed)
    assert not is_sealed(sealed)
    assert not close_study(sealed)
    assert study_report(sealed).published.means["method-2"] == {"format": 3.0, "overall": 3.0}


def test_unblinding_opens_the_numbers_and_is_in_the_report(sealed: Study, carol: User) -> None:
    assert unblind(sealed, staff=carol, reason=f"  {REASON} ")
    assert not is_sealed(sealed)
    report = study_report(sealed).as_dict()
    assert report["sealed"] is False
    assert report["best_choices"]["method-3"] == 2
    (unblinded,) = report["unblinded"]
    assert unblinded | {"at": None} == {"by": "carol", "reason": REASON, "at": None}
    assert unblinded["at"] == Unblinding.objects.get().created_at.isoformat(timespec="seconds")


def test_unblinding_twice_is_logged_once(sealed: Study, carol: User) -> None:
    assert unblind(sealed, staff=carol, reason=REASON)
    assert not unblind(sealed, staff=carol, reason="Once more, with feeling.")
    assert Unblinding.objects.get().reason == REASON


def test_a_closed_study_needs_no_unblinding(sealed: Study, carol: User) -> None:
    close_study(sealed)
    assert not unblind(sealed, staff=carol, reason=REASON)
    assert not Unblinding.objects.exists()


@pytest.mark.parametrize("reason", ["", "curious", "   curious    "])
def test_a_reason_that_explains_nothing_is_refused(sealed: Study, carol: User, reason: str) -> None:
    with pytest.raises(Refused, match="at least 10 characters"):
        unblind(sealed, staff=carol, reason=reason)
    assert is_sealed(sealed)
    assert_refused(Unblinding(study=sealed, staff=carol, reason=reason).save, "unblinding_reason_given")


def test_the_log_of_unblindings_is_only_added_to(sealed: Study, carol: User) -> None:
    unblind(sealed, staff=carol, reason=REASON)
    row = Unblinding.objects.get()
    row.reason = "A better reason than before."
    assert_refused(row.save, "a row of annotations_unblinding cannot be changed")
    assert_refused(row.delete, "cannot be deleted without its study")


def test_the_log_goes_with_its_study(sealed: Study, carol: User) -> None:
    unblind(sealed, staff=carol, reason=REASON)
    sealed.delete()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert not Unblinding.objects.exists()


def test_a_sealed_report_holds_the_funnel_and_no_number_by_method(sealed: Study) -> None:
    report = study_report(sealed).as_dict()
    assert report["sealed"] is True
    assert report["published"] == {"means": {}, "deviations": {}, "p_values": ()}
    assert report["best_choices"] == {}
    assert report["unblinded"] == ()
    assert report["participants"]["valid"] == 1
    assert report["scores_collected"] == 8


def turn_every_answer_round() -> None:
    """Give the best method's scores and picks to the worst, and so on, as if they had been answered so."""
    assert set(Rating.objects.values_list("score", flat=True)) == {1, 2, 3, 4}
    Rating.objects.update(score=5 - F("score"))
    for pick in BestChoice.objects.all():
        worst = PageCandidate.objects.get(page=pick.page, study_method__number=0)
        BestChoice.objects.filter(pk=pick.pk).update(candidate=worst.candidate)


CSRF_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]+"')
NONCE = re.compile(rb'name="nonce" value="[^"]*"')
PDF_CLOCK = re.compile(
    rb"D:\d{14}Z|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00|/ID ?\[[^]]*]|<xmpMM:(?:Instance|Document)ID>[^<]*"
)


def without_clock(body: bytes) -> bytes:
    """Return a page or a file without what differs between two requests for the same."""
    if body.startswith(b"%PDF"):
        return PDF_CLOCK.sub(b"", body)
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            return b"".join(book.read(name) for name in book.namelist() if name != "docProps/core.xml")
    return NONCE.sub(b"", CSRF_TOKEN.sub(b"", body))


def patterns(entries: Iterable[Any]) -> Iterator[URLPattern]:
    """Yield every address of an app, those of its packages among them."""
    for entry in entries:
        if isinstance(entry, URLResolver):
            yield from patterns(entry.url_patterns)
        else:
            yield entry


def arguments(pattern: URLPattern, study: Study) -> list[dict[str, Any]]:
    """Return the arguments under which an address is asked for: the study, its first page, every format."""
    names = pattern.pattern.converters
    stands_for: dict[str, Any] = {"slug": study.slug, "token": "x" * 22}
    base = {
        name: stands_for.get(name, uuid.UUID(int=1) if isinstance(converter, UUIDConverter) else 1)
        for name, converter in names.items()
    }
    if "file_format" in names:
        return [base | {"file_format": file_format} for file_format in FORMATS]
    return [base]


def everything_staff_can_get(study: Study, client: Client) -> dict[str, bytes]:
    """Return the body of every address of the app and of the admin's lists of answers."""
    addresses = [
        reverse(f"annotations:{pattern.name}", kwargs=kwargs)
        for pattern in patterns(urls.urlpatterns)
        for kwargs in arguments(pattern, study)
    ]
    addresses += [
        reverse("admin:annotations_rating_changelist"),
        reverse("admin:annotations_bestchoice_changelist"),
    ]
    bodies = {}
    for address in addresses:
        # A file that was taken would be in the log, which is one of the addresses.
        with transaction.atomic():
            bodies[address] = without_clock(client.get(address).getvalue())
            transaction.set_rollback(True)
    return bodies


def test_no_staff_response_tells_the_methods_of_a_sealed_study_apart(
    sealed: Study, client: Client, carol: User
) -> None:
    carol.is_superuser = True
    carol.save()
    client.force_login(carol)
    results = reverse("annotations:results", args=["poems"])
    before = everything_staff_can_get(sealed, client)
    assert before[results].count(b"Method 3") == 0
    turn_every_answer_round()
    after = everything_staff_can_get(sealed, client)
    assert [address for address in before if after[address] != before[address]] == []

    close_study(sealed)
    opened = everything_staff_can_get(sealed, client)
    changed = {address for address in before if opened[address] != before[address]}
    assert changed >= {
        results,
        *(reverse("annotations:results_file", args=["poems", name]) for name in FORMATS),
    }
    assert b"Method 3" in opened[results]


@pytest.mark.parametrize("file_format", list(FORMATS))
def test_no_export_tells_the_methods_of_a_sealed_study_apart(
    sealed: Study, file_format: str, tmp_path: Path
) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    exported("--format", file_format, "--output", str(before))
    turn_every_answer_round()
    exported("--format", file_format, "--output", str(after))
    assert without_clock(before.read_bytes()) == without_clock(after.read_bytes())


def exported(*arguments: str) -> tuple[str, str]:
    """Return what the command writes to standard output and to standard error."""
    output, errors = io.StringIO(), io.StringIO()
    call_command("export_report", "poems", *arguments, stdout=output, stderr=errors)
    return output.getvalue(), errors.getvalue()


def test_the_command_says_that_a_report_is_sealed(sealed: Study) -> None:
    text, errors = exported()
    assert json.loads(text)["published"] == {"means": {}, "deviations": {}, "p_values": []}
    assert errors == (
        "poems: sealed while it is open, so the report has no numbers by method"
        " (close_study closes it, --unblind REASON opens them)\n"
    )


def test_the_command_unblinds_with_a_reason(sealed: Study) -> None:
    text, errors = exported("--unblind", REASON)
    report = json.loads(text)
    assert errors == ""
    assert report["sealed"] is False
    assert report["published"]["means"]["method-2"]["overall"] == 3
    assert report["unblinded"][0]["by"] == "command line"
    assert Unblinding.objects.get().staff is None


def test_the_command_wants_a_reason_worth_the_name(sealed: Study) -> None:
    with pytest.raises(CommandError, match="--unblind: Give a reason of at least 10 characters"):
        exported("--unblind", "curious")
    assert is_sealed(sealed)


def closed_by_command(slug: str) -> str:
    output = io.StringIO()
    call_command("close_study", slug, stdout=output)
    return output.getvalue()


def test_a_command_closes_a_study(sealed: Study) -> None:
    assert closed_by_command("poems") == "poems: closed\n"
    assert closed_by_command("poems") == "poems: was closed already\n"
    assert not is_sealed(sealed)


def test_closing_an_unknown_study_gives_one_line(db: None) -> None:
    with pytest.raises(CommandError, match="lost: no such study"):
        closed_by_command("lost")


def test_the_page_explains_the_seal_and_offers_both_ways_out(
    sealed: Study, client: Client, carol: User
) -> None:
    client.force_login(carol)
    page = client.get(reverse("annotations:results", args=["poems"])).content.decode()
    assert "no number by method is shown to anybody" in page
    assert 'action="/studies/poems/results/unblind/"' in page
    assert 'href="/manage/studies/poems/"' in page
    # Closing is asked about on a page of its own, and stands nowhere else.
    assert "/close/" not in page
    close_study(sealed)
    page = client.get(reverse("annotations:results", args=["poems"])).content.decode()
    assert "results/unblind/" not in page


def test_staff_unblind_a_study_on_its_page(sealed: Study, client: Client, carol: User) -> None:
    client.force_login(carol)
    url = reverse("annotations:unblind", args=["poems"])
    page = client.post(url, {"reason": REASON}, follow=True).content.decode()
    assert "Method 3" in page
    assert "The study is unblinded." in page
    assert f"Unblinded while open by carol at {Unblinding.objects.get().created_at:%Y-%m-%dT%H:%M:%S}" in page
    assert REASON in page
    client.post(url, {"reason": "Pressed the button twice."})
    assert Unblinding.objects.get().staff == carol


def test_a_short_reason_comes_back_with_what_is_wrong(sealed: Study, client: Client, carol: User) -> None:
    client.force_login(carol)
    response = client.post(reverse("annotations:unblind", args=["poems"]), {"reason": "curious"})
    page = response.content.decode()
    assert response.status_code == 400
    assert page.count("Give a reason of at least 10 characters. The report prints it.") == 2
    assert ">curious</textarea>" in page
    assert is_sealed(sealed)


def test_staff_close_a_study_on_its_page(sealed: Study, client: Client, carol: User) -> None:
    client.force_login(carol)
    page = client.post(reverse("annotations:close", args=["poems"]), follow=True).content.decode()
    assert "The study is closed." in page
    assert "Method 3" in page


@pytest.mark.parametrize(("name", "asked"), [("unblind", 405), ("close", 200)])
def test_only_staff_may_open_the_numbers_and_only_by_post(
    sealed: Study, client: Client, alice: User, carol: User, name: str, asked: int
) -> None:
    url, fields = reverse(f"annotations:{name}", args=["poems"]), {"reason": REASON}
    assert client.post(url, fields).status_code == 302
    client.force_login(alice)
    assert client.post(url, fields).status_code == 404
    client.force_login(carol)
    assert client.get(url).status_code == asked
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(carol)
    assert strict.post(url, fields).status_code == 403
    assert is_sealed(sealed)


@pytest.mark.parametrize(("name", "shown_on"), [("unblind", "results"), ("close", "close")])
def test_the_forms_on_the_page_are_taken_by_the_site(
    sealed: Study, carol: User, name: str, shown_on: str
) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(carol)
    url = reverse(f"annotations:{name}", args=["poems"])
    page = strict.get(reverse(f"annotations:{shown_on}", args=["poems"])).content.decode()
    action = f'action="{url}"[^>]*' if name != shown_on else ""
    token = re.search(
        rf'<form method="post" ?{action}>\s*<input type="hidden" name="csrfmiddlewaretoken" value="(\w+)"',
        page,
    )
    assert token
    assert strict.post(url, {"reason": REASON, "csrfmiddlewaretoken": token[1]}).status_code == 302
    assert not is_sealed(sealed)


def test_an_exported_report_prints_who_unblinded_the_study(sealed: Study, carol: User) -> None:
    unblind(sealed, staff=carol, reason="A check that <the board> asks for.")
    close_study(sealed)
    text, _ = exported("--format", "html")
    assert "Unblinded while open by carol at" in text
    assert "A check that &lt;the board&gt; asks for." in text


def test_the_admin_cannot_open_a_closed_study_again(sealed: Study, client: Client, carol: User) -> None:
    carol.is_superuser = True
    carol.save()
    client.force_login(carol)
    page = client.get(reverse("admin:annotations_study_change", args=[sealed.pk])).content.decode()
    assert "poems" in page
    assert 'name="state"' not in page


def test_answers_are_in_the_admin_once_the_seal_is_gone(sealed: Study, client: Client, carol: User) -> None:
    carol.is_superuser = True
    carol.save()
    client.force_login(carol)
    address = reverse("admin:annotations_rating_changelist")
    assert "0 ratings" in client.get(address).content.decode()
    close_study(sealed)
    assert "16 ratings" in client.get(address).content.decode()


def test_a_second_evaluator_keeps_the_study_sealed_once(sealed: Study) -> None:
    enrol(sealed, build_user("zoe"))
    assert Study.objects.sealed().count() == 1
