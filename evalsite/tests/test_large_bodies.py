"""Bodies of more than is read at once: one line in the reader's language, and a connection that goes on."""

from __future__ import annotations

import io
import logging

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import build_study, build_user

FORM = "application/x-www-form-urlencoded"
PARTS = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n%s\r\n--x--\r\n'


def sent(
    client: Client, body: bytes, kind: str, address: str = "/accounts/login/", **headers: str
) -> tuple[int, str, int]:
    """Return the status, the page and how much of a body was left unread."""
    stream = io.BytesIO(body)
    options = {"wsgi.input": stream, "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": kind} | headers
    response = client.generic("POST", address, b"", kind, **options)  # type: ignore[arg-type]
    return response.status_code, response.content.decode(), len(body) - stream.tell()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"a=" + b"x" * 1_100_000, FORM),
        (b"&".join(b"a%d=1" % place for place in range(3_000)), FORM),
        (PARTS % (b"x" * 1_100_000), "multipart/form-data; boundary=x"),
    ],
    ids=["large", "many fields", "parts"],
)
@pytest.mark.parametrize("is_known", [False, True])
def test_a_form_that_is_too_large_is_refused_in_a_line_and_read_to_its_end(
    db: None, caplog: pytest.LogCaptureFixture, body: bytes, kind: str, is_known: bool
) -> None:
    client = Client(enforce_csrf_checks=True)
    if is_known:
        client.force_login(User.objects.create_user("alice"))
    with caplog.at_level(logging.WARNING):
        status, page, left = sent(client, body, kind)
    assert (status, left) == (413, 0)
    assert "<p>What was sent is more than the site takes at once.</p>" in page
    assert not [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]
    status, page, _left = sent(client, body, kind, HTTP_ACCEPT_LANGUAGE="zh-hans")
    assert status == 413 and "<p>发送的内容超出了本站一次能接收的量。</p>" in page


def test_json_that_is_too_large_is_refused_in_a_line(db: None) -> None:
    client, alice = Client(), build_user("alice")
    enrol(build_study(), alice)
    client.force_login(alice)
    body = b'{"a": "' + b"x" * 1_100_000 + b'"}'
    for address in (
        "/studies/poems/subtasks/1/pages/1/answers/",
        "/api/v1/my/studies/poems/subtasks/1/pages/1/ratings/",
    ):
        status, said, left = sent(client, body, "application/json", address)
        assert (status, left) == (413, 0), address
        assert said.startswith('{"detail":')


def test_a_form_where_json_is_read_is_refused_in_a_line(db: None) -> None:
    study = build_study(slug="poems")
    evaluator = build_user("alice")
    enrol(study, evaluator)
    client = Client()
    client.force_login(evaluator)
    response = client.post("/studies/poems/subtasks/1/pages/1/answers/", {"token": "x"})
    assert response.status_code == 415
    assert "Send JSON here, not a form." in response.content.decode()
