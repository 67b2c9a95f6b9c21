"""The API does what its schema says, whoever calls it and whatever is sent, and never fails by our fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig

from annotations.models import Study, StudyRole
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.invitations import Invitee, invite, make_open_link
from annotations.tests.cast import answer_everything, build_study, build_user
from evalsite.accounts.tokens import make_token
from evalsite.wsgi import application
from generation.tests.sizes import how_many

EXAMPLES = how_many(long=3, short=1)
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
CALLERS = ["anonymous", "evaluator", "owner"]


def api_schema() -> dict[str, Any]:
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema


# No text in a database holds a null character, which a schema could only say by a pattern at every field.
CONFIG = SchemathesisConfig.from_dict({"generation": {"allow-x00": False}})
SCHEMA = schemathesis.openapi.from_dict(api_schema(), config=CONFIG)
SCHEMA.app = application
FOUND: list[Any] = list(SCHEMA.get_all_operations())
OPERATIONS = [found.ok() for found in FOUND]


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Keep the test's own connection, and what is in its transaction, from one request to the next."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def study(db: None, one_connection: None) -> Study:
    """A study that alice rates and olga runs, with an invitation and an open link."""
    study = build_study()
    olga = build_user("olga")
    StudyRole.objects.create(study=study, user=olga, role=StudyRole.Role.OWNER)
    answer_everything(enrol(study, build_user("alice")))
    invite(study, [Invitee()], by=olga)
    make_open_link(study, limit=3, by=olga)
    return study


@pytest.fixture
def places(study: Study) -> dict[str, Any]:
    """What stands in addresses, so that valid calls find something."""
    return {
        "slug": study.slug,
        "subtask": 1,
        "page": 1,
        "invitation": str(study.invitations.get().uuid),
        "link": str(study.open_links.get().uuid),
    }


@pytest.fixture
def headers(study: Study) -> dict[str, dict[str, str]]:
    """What each caller sends along."""
    tokens = {"evaluator": User.objects.get(username="alice"), "owner": User.objects.get(username="olga")}
    return {
        "anonymous": {},
        **{caller: {"Authorization": f"Bearer {make_token(user)}"} for caller, user in tokens.items()},
    }


def violations(
    operation: Any, mode: GenerationMode, headers: dict[str, str], places: dict[str, Any]
) -> Iterator[str]:
    """Call an operation some times in one mode and yield what went against the schema; nothing stays done."""

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def call(case: Any) -> None:
        if mode is GenerationMode.POSITIVE:
            case.path_parameters.update(
                {name: value for name, value in places.items() if name in case.path_parameters}
            )
        case.call_and_validate(headers=headers)

    try:
        with transaction.atomic():
            call()
            transaction.set_rollback(True)
    except Unsatisfiable:
        # An operation without a body and parameters: nothing can be wrong in it.
        return
    except (Exception, BaseExceptionGroup) as error:
        yield f"{operation.label} ({mode.value}): {error}"


@pytest.mark.parametrize("caller", CALLERS)
def test_the_api_keeps_to_its_schema(
    caller: str, headers: dict[str, dict[str, str]], places: dict[str, Any]
) -> None:
    found = [
        violation
        for operation in OPERATIONS
        for mode in MODES
        for violation in violations(operation, mode, headers[caller], places)
    ]
    assert len(OPERATIONS) > 50
    assert found == [], "\n\n".join(found)
