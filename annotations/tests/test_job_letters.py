"""Whoever asks for a job and wants it is told by mail that it has ended: once, in their language, with a bare link."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.utils.translation import override

from annotations.jobs.running import poll, run_next
from annotations.jobs.telling import set_tell, tell_owners
from annotations.models import Job, Study
from annotations.tests.job_cast import Role, queued, rated_study, stand_in, with_role
from generation.refusals import Refused

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr("evalsite.celery.app.send_task", lambda *_arguments, **_options: None)
    settings.EMAIL_HOST, settings.SITE_URL = "mail.example.org", "https://rate.example.org"


@pytest.fixture
def rated() -> Study:
    return rated_study()


@pytest.fixture
def anna(rated: Study) -> User:
    user = with_role(rated, "anna")
    user.email = "anna@example.org"
    user.save()
    return user


@pytest.fixture
def as_anna(client: Client, anna: User) -> Client:
    client.force_login(anna)
    return client


def test_one_letter_goes_out_when_a_job_of_ones_own_is_ready(
    as_anna: Client, rated: Study, anna: User
) -> None:
    job = queued(rated, anna)
    address = job.get_absolute_url()
    assert "Tell me by mail when it has ended (anna@example.org)" in as_anna.get(address).content.decode()
    said = as_anna.post(f"{address}tell/", {"tell": "1"}, follow=True).content.decode()
    assert "You will be told by mail." in said
    assert 'value="1" checked' in said
    assert run_next()
    poll()
    assert tell_owners() == 0
    (letter,) = mail.outbox
    assert letter.to == ["anna@example.org"]
    assert letter.subject == "Ready: All answers (CSV)"
    assert f"https://rate.example.org{address}" in letter.body
    assert Client().get(address).status_code == 302, "the link asks for the log-in"
    stranger = Client()
    stranger.force_login(User.objects.create_user("mallory"))
    assert stranger.get(address).status_code == 404, "and for the right"
    assert "Tell me by mail" not in as_anna.get(address).content.decode()


def test_nobody_is_told_who_did_not_ask_for_it_or_took_it_back(
    as_anna: Client, rated: Study, anna: User
) -> None:
    job = queued(rated, anna)
    as_anna.post(f"{job.get_absolute_url()}tell/", {"tell": "1"})
    as_anna.post(f"{job.get_absolute_url()}tell/", {})
    run_next()
    assert mail.outbox == []


def test_a_failure_is_told_in_the_language_in_which_the_job_was_asked_for(
    rated: Study, anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: Any) -> Any:
        raise Refused("too much")

    stand_in(monkeypatch, broken)
    with override("zh-hans"):
        set_tell(queued(rated, anna), by=anna, tell=True)
    run_next()
    (letter,) = mail.outbox
    assert letter.subject == "未完成：全部答案（CSV）"
    assert "too much" not in letter.body


def test_a_letter_that_the_mail_server_refused_is_tried_again(
    rated: Study, anna: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_tell(queued(rated, anna), by=anna, tell=True)
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    monkeypatch.setattr("django.core.mail.backends.dummy.EmailBackend.send_messages", lambda *_messages: 0)
    run_next()
    assert Job.objects.get().told_at is None
    settings.EMAIL_BACKEND = working
    assert tell_owners() == 1
    assert len(mail.outbox) == 1


def test_who_cannot_be_told_is_told_why(rated: Study, anna: User, settings: Any) -> None:
    job, olga = queued(rated, anna), with_role(rated, "olga", Role.OWNER)
    with pytest.raises(Refused, match="Only whoever asked for it"):
        set_tell(job, by=olga, tell=True)
    with pytest.raises(Refused, match="no e-mail address"):
        set_tell(queued(rated, olga, "xlsx"), by=olga, tell=True)
    settings.EMAIL_HOST = ""
    with pytest.raises(Refused, match="no mail server"):
        set_tell(job, by=anna, tell=True)
    assert tell_owners() == 0
    Job.objects.all().stop()
    with pytest.raises(Refused, match="ended already"):
        set_tell(job, by=anna, tell=False)


def test_the_api_asks_for_the_letter_with_the_job(as_anna: Client, rated: Study, settings: Any) -> None:
    url, body = "/api/v1/studies/poems/jobs/", {"kind": "answers", "format": "csv", "tell": True}
    assert as_anna.post(url, body, content_type="application/json").json()["tell"] is True
    settings.EMAIL_HOST = ""
    refused = as_anna.post(url, {**body, "format": "xlsx"}, content_type="application/json")
    assert (refused.status_code, Job.objects.count()) == (409, 1), "nothing was queued"
