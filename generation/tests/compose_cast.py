"""What the tests of the pages for composing share."""

from __future__ import annotations

from django.test import Client

from generation.models import Composition, GenerationRun

POEM, ANSWER = "/compose/poem/", "/compose/answer/"
KNOWN = "春夜山中一雨树杪百重泉李白，。"
POSTED = {"title": "春夜", "method": "inverse_prompting"}


def link(composition: Composition, what: str = "") -> str:
    return f"/compose/{composition.run_prompt.run.uuid}/{what}"


def errors(client: Client, address: str, **fields: str) -> dict[str, str]:
    """Return the first problem by field of a form that is sent; nothing is queued if there is one."""
    response = client.post(address, fields)
    if response.status_code == 302:
        return {}
    assert response.status_code == 400
    assert not GenerationRun.objects.exists()
    return {name: str(problems[0]) for name, problems in response.context["form"].errors.items()}


def poem_errors(client: Client, title: str = "春夜", **fields: str) -> dict[str, str]:
    return errors(client, POEM, **{**POSTED, "title": title, **fields})


def body(client: Client, address: str, **headers: str) -> str:
    return client.get(address, headers=headers).content.decode()
