"""A worker as an operator starts it writes with the model that comes with the site."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from generation.engines.model_library import VERSE, is_there
from generation.models import Candidate, GenerationRun
from generation.runs.runs import queue_run
from tests.worker_site import RealWorkerProcess, own_site, titles, wait_until_ended

pytestmark = pytest.mark.skipif(not is_there(VERSE), reason="the verse model is not in fixtures/verse-model")

# On a machine that has other things to do; else it is some seconds.
WRITE_SECONDS = 400


@pytest.fixture(scope="module")
def worker(django_db_blocker: DjangoDbBlocker, own_home: Path) -> Iterator[RealWorkerProcess]:
    with (
        pytest.MonkeyPatch.context() as patch,
        django_db_blocker.unblock(),
        own_site(patch, own_home) as home,
    ):
        worker = RealWorkerProcess("real", home / "real.log")
        worker.wait_until_there()
        yield worker
        worker.end()


def test_same_seed_gives_the_same_poems_whatever_was_written_before(worker: RealWorkerProcess) -> None:
    prompts = titles("秋夜", "登楼")
    first = queue_run("inverse_prompting", prompts, seed=11)
    second = queue_run("inverse_prompting", prompts[::-1], seed=11)
    other = queue_run("inverse_prompting", prompts[:1], seed=12)
    for run in (first, second, other):
        wait_until_ended(run, WRITE_SECONDS)
        assert run.state == "done", (
            list(run.run_prompts.values_list("error", flat=True)),
            worker.log.read_text(),
        )

    def texts(run: GenerationRun) -> dict[str, str]:
        return dict(Candidate.objects.filter(run=run).values_list("prompt__text", "text"))

    assert texts(first) == texts(second)
    assert texts(other)["秋夜"] != texts(first)["秋夜"]
    for candidate in first.candidates.select_related("provenance"):
        kept = candidate.provenance
        assert kept.score == pytest.approx(sum(kept.terms.values()))
        assert all(kept.score >= other["score"] for other in kept.runners_up)
        assert kept.facts["model"]
        assert len(kept.facts["checkpoint"]) >= 8
        assert kept.facts["versions"]["torch"]
        assert kept.seconds > 0
