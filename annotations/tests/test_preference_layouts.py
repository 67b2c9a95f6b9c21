"""What people preferred, by every protocol, as training on it reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from annotations.models import Judgement, Study
from annotations.plan.simulation import simulate_ratings
from annotations.recruiting.enrolment import enrol
from annotations.results.preferences.layouts import columns_of, layout_rows
from annotations.results.preferences.wanted import LAYOUTS
from annotations.results.seal import Sealed
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import build_checklist_study, build_study, build_user
from annotations.tests.test_judged_results import build_judged
from generation.models import Candidate, Prompt


def rows(study: Study, layout: Any, **options: Any) -> list[dict[str, Any]]:
    columns = columns_of(layout, conversational=options.get("conversational", False))
    return [dict(zip(columns, row, strict=True)) for row in layout_rows(study, layout, **options)]


@pytest.fixture
def ranked(db: None) -> Study:
    """Two evaluators put the three texts of one page in order: both call method 2 the best, and differ on the rest."""
    study = build_judged("ranking", 3, prompts=1, methods=3)
    for name, order in (("alice", [2, 1, 0]), ("bob", [2, 0, 1])):
        enrolment = enrol(study, build_user(name))
        place = dict(enrolment.placements.values_list("candidate", "position"))
        by_method = [
            place[Candidate.objects.get(run__method__key=f"method-{method}").pk] for method in range(3)
        ]
        for criterion in study.criteria.all():
            Judgement.objects.create(
                enrolment=enrolment,
                page=enrolment.placements.first().page,  # type: ignore[union-attr]
                criterion=criterion,
                places=[by_method[method] for method in order],
            )
    close_study(study)
    return study


def test_the_better_of_two_texts_is_chosen_by_the_mean_of_all(ranked: Study) -> None:
    found = rows(ranked, "pairs")
    assert {(one["chosen_method"], one["rejected_method"], one["margin"]) for one in found} == {
        ("method-2", "method-0", 0.75),
        ("method-2", "method-1", 0.75),
    }
    text = {one.run.method.key: one.text for one in Candidate.objects.select_related("run__method")}
    assert {one["chosen"] for one in found} == {text["method-2"]}
    assert {(one["evaluator"], one["evaluators"], one["criterion"]) for one in found} == {
        (None, 2, "overall")
    }


def test_each_evaluators_own_order_has_rows_of_its_own(ranked: Study) -> None:
    found = rows(ranked, "pairs", by_evaluator=True)
    chosen = [(one["evaluator"], one["chosen_method"], one["rejected_method"]) for one in found]
    assert [one for one in chosen if one[1] != "method-2"] == [
        ("E001", "method-1", "method-0"),
        ("E002", "method-0", "method-1"),
    ]
    assert len(found) == 6


def test_a_text_is_good_above_the_mean_of_its_page(ranked: Study) -> None:
    assert {(one["method"], one["label"]) for one in rows(ranked, "unpaired")} == {
        ("method-0", False),
        ("method-1", False),
        ("method-2", True),
    }
    # Of her own three the middle one is neither good nor bad.
    own = rows(ranked, "unpaired", by_evaluator=True)
    assert [(one["evaluator"], one["method"], one["label"]) for one in own] == [
        ("E001", "method-0", False),
        ("E001", "method-2", True),
        ("E002", "method-1", False),
        ("E002", "method-2", True),
    ]


def test_an_order_has_all_texts_with_ranks_that_equal_ones_share(ranked: Study) -> None:
    (one,) = rows(ranked, "ranked")
    assert json.loads(one["ranks"]) == [1, 2, 2]
    assert json.loads(one["methods"]) == ["method-2", "method-0", "method-1"]
    assert len(json.loads(one["completions"])) == 3


def test_messages_have_the_turns_of_the_prompt_before_what_it_asks(ranked: Study) -> None:
    Prompt.objects.update(
        turns=[{"role": "user", "text": "Hello"}, {"role": "assistant", "text": "Yes?"}],
        parts=[{"name": "source", "text": "It rained."}],
        text="Summarise.",
        description="",
    )
    one = rows(ranked, "pairs", conversational=True)[0]
    assert json.loads(one["prompt"]) == [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": "source:\nIt rained.\n\nSummarise."},
    ]
    assert [message["role"] for message in json.loads(one["chosen"])] == ["assistant"]


def test_while_people_answer_nothing_comes_out(db: None) -> None:
    study = build_judged("pairwise", 2, prompts=1)
    enrol(study, build_user("alice"))
    with pytest.raises(Sealed):
        layout_rows(study, "pairs")


PROTOCOLS = [("ratings", None), ("pairwise", 2), ("ranking", 3), ("best_worst", 3), ("checklist", None)]


@pytest.mark.parametrize(("protocol", "size"), PROTOCOLS)
def test_every_layout_of_every_protocol_is_read_as_it_is(
    db: None, tmp_path: Path, protocol: str, size: int | None
) -> None:
    study = build_checklist_study(prompts=3) if protocol == "checklist" else build_study(prompts=3)
    Study.objects.update(protocol=protocol, candidates_per_page=size, has_best_picks=protocol == "ratings")
    study.refresh_from_db()
    simulate_ratings(study, evaluators=4, seed=1)
    close_study(study)
    for layout in LAYOUTS:
        for options in ({}, {"conversational": True}, {"by_evaluator": True}):
            path = tmp_path / f"{layout}-{'-'.join(options)}.jsonl"
            call_command("export_preferences", "poems", layout=layout, output=path, **options)
            lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
            assert lines
            assert all(line["prompt"] and line["simulated"] for line in lines)
            kind = list if options.get("conversational") else str
            assert {type(line["prompt"]) for line in lines} == {kind}
            assert {type(line["evaluator"]) for line in lines} == {
                str if options.get("by_evaluator") else type(None)
            }
    datasets = pytest.importorskip("datasets")
    read = datasets.load_dataset("json", data_files=str(tmp_path / "pairs-.jsonl"), split="train")
    assert {"prompt", "chosen", "rejected"} <= set(read.column_names)


def test_lists_come_as_json_lines_alone(ranked: Study, tmp_path: Path) -> None:
    for options in ({"layout": "ranked"}, {"layout": "pairs", "conversational": True}):
        with pytest.raises(CommandError, match="lists come as jsonl alone"):
            call_command(
                "export_preferences", "poems", format="parquet", output=tmp_path / "a.parquet", **options
            )
    with pytest.raises(CommandError, match="conversational, by evaluator: these are of a layout; say which"):
        call_command("export_preferences", "poems", by_evaluator=True)
    call_command(
        "export_preferences", "poems", layout="unpaired", format="parquet", output=tmp_path / "a.parquet"
    )
    assert (tmp_path / "a.parquet").stat().st_size > 0


def test_the_page_of_results_leads_to_every_layout(ranked: Study, client: Client) -> None:
    client.force_login(build_user("olga", is_staff=True))
    page = client.get("/studies/poems/results/").content.decode()
    for path in (
        "/studies/poems/preferences-unpaired.jsonl",
        "/studies/poems/preferences-ranked.jsonl",
        "/studies/poems/preferences-pairs.jsonl?conversational=1",
        "/studies/poems/preferences-pairs.jsonl?by=evaluator",
        "/studies/poems/preferences-pairs.parquet",
    ):
        assert path in page
        assert b"".join(client.get(path))
    assert client.get("/studies/poems/preferences-ranked.parquet").status_code == 404
