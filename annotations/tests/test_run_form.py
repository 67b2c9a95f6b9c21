"""Choosing the model that writes for a study."""

from __future__ import annotations

from typing import Any

import pytest

from annotations.models import Study
from annotations.setup.run_forms import RunForm
from annotations.setup.runs import start_run
from generation.engines.servers import Server
from generation.refusals import Refused


def test_served_model_can_be_chosen_before_a_worker_takes_it(study: Study, settings: Any) -> None:
    settings.LANGUAGE_MODEL_SERVERS = {"qwen": Server("qwen", "chat", "http://gpu:8000", "Qwen")}
    form = RunForm(study, {"method": "sampling", "model": "qwen", "seed": 0})
    assert form.is_valid()
    assert form.cleaned_data["model"] == "qwen"
    # The search needs scores, which this engine does not give: the act says so on page, command and API alike.
    with pytest.raises(Refused, match="qwen cannot score"):
        start_run(study, "inverse_prompting", model="qwen")
