"""Nothing that tells a method reaches whoever marks errors in texts, and no penalty either."""

from __future__ import annotations

import json

from django.contrib.auth.models import User
from django.test import Client

from annotations.models import ErrorCategory, ErrorSeverity, Span, Study
from annotations.tests.cast import placements
from tests.test_blinding import leaks, marked, received, secrets_of

# A fixture is found by its name.
__all__ = ["marked"]
PAGE = "studies/poems/subtasks/1/pages/1/"


def test_pages_of_error_spans_name_no_method_and_no_penalty(marked: Study, client: Client) -> None:
    Study.objects.filter(pk=marked.pk).update(protocol="spans", has_best_picks=False)
    ErrorSeverity.objects.create(study=marked, number=0, key="minor", label={"en": "Minor"}, weight=7.25)
    ErrorCategory.objects.create(
        study=marked, number=0, key="any", label={"en": "Any"}, penalties={"minor": 7.25}
    )
    alice = User.objects.get(username="alice")
    client.force_login(alice)
    secrets = secrets_of(marked)
    one = {"category": "any", "severity": "minor", "start": 0, "end": 1, "note": ""}
    body = {"token": placements(marked, alice)[0].token, "order": 1}
    for end in (1, 99_999):
        sent = json.dumps(body | {"marks": [one | {"end": end}], "is_done": True})
        reply = client.post(f"/api/v1/my/{PAGE}markings/", sent, content_type="application/json")
        assert reply.status_code == (200 if end == 1 else 400)
        assert leaks(received(reply), secrets) == []
    assert Span.objects.count() == 1
    for path in ("", "api/v1/my/"):
        page = client.get(f"/{path}{PAGE}")
        assert "Minor" in page.content.decode()
        assert "7.25" not in page.content.decode()
        assert leaks(received(page), secrets) == []
