"""Every benchmark runs through at a small size; how fast it is no test says. Those with own servers are long."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from generation.methods import PRESETS
from generation.tests.sizes import only_long
from generation.tests.tiny_models import verse_model
from generation.tests.training_cast import verse
from generation.verse.corpus import write_corpus
from turing.pairs.files import import_pairs

ROOT = Path(__file__).resolve().parents[1]


def benchmark(name: str) -> ModuleType:
    return import_module(f"benchmarks.{name}")


def run(name: str, *words: str | Path) -> None:
    """Run a benchmark by its command line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [name, *map(str, words)])
        benchmark(name).main()


@pytest.fixture
def model_folder(tmp_path: Path, small_search: None) -> Path:
    folder = tmp_path / "model"
    verse_model().model.save_pretrained(folder)
    verse_model().tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def small_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRESETS, "poem", replace(PRESETS["poem"], beams=2, samples=2))


def test_every_benchmark_is_tested() -> None:
    tests = Path(__file__).read_text(encoding="utf-8")
    names = [f"{path.parent.name}.{path.stem}" for path in (ROOT / "benchmarks").glob("*/[a-z]*.py")]
    assert len(names) > 5
    assert [name for name in names if f'"{name}"' not in tests] == []


def test_strengths_are_timed_beside_choix(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--methods", "4", "--prompts", "12", "--evaluators", "6", "--judgements", "144"]
    run("stats.comparison_speed", *options)
    said = capsys.readouterr().out
    assert "times ours" in said
    assert "together" in said


def test_false_positives_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    run("stats.false_positives", "--studies", "5")
    assert "share of 5 studies" in capsys.readouterr().out


def test_choosing_prompts_asks_for_the_records(capsys: pytest.CaptureFixture[str]) -> None:
    run("stats.prompt_selection")
    assert "needs --records" in capsys.readouterr().out


def test_coverage_with_a_judge_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    run("stats.judge_coverage", "--studies", "3")
    said = capsys.readouterr().out
    assert "coverage of nominal 95 % in 3 studies" in said and "heavy ties" in said


def test_the_usual_interval_is_that_of_ppi_py() -> None:
    # ppi_py 0.2.3 at lambda 1, whose variances are over n; its own example.
    rated = np.array([4, 4, 5, 3, 4, 5, 2, 3, 5, 4, 3, 4.0])
    labels = np.array([4, 3, 5, 2, 4, 4, 1, 3, 5, 4, 2, 3.0])
    unrated = np.array([int(one) for one in "345424354432544345342453443543244534"], dtype=np.float64)
    usual = benchmark("stats.judge_coverage").usual
    low, high = usual(labels, rated, unrated, weight=1.0, ddof=0)
    assert (low, high) == pytest.approx((2.8139972258, 3.6304472187))
    assert (low + high) / 2 == pytest.approx(3.2222222222)
    assert (high - low) / 2 / 1.959963985 == pytest.approx(0.2082818867)


def test_false_positives_of_unbalanced_designs_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    run("stats.ratings_false_positives", "2")
    assert "share of 2 studies" in capsys.readouterr().out


def test_the_ratings_model_is_timed_beside_another_and_agrees_with_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("stats.ratings_model", "8")
    assert "statsmodels MixedLM, the same model" in capsys.readouterr().out


def test_the_analysis_is_timed_beside_two_others(capsys: pytest.CaptureFixture[str]) -> None:
    run("stats.speed", "--prompts", "5")
    assert "statsmodels MixedLM" in capsys.readouterr().out


def test_the_analysis_of_a_long_table_is_timed(capsys: pytest.CaptureFixture[str]) -> None:
    run("stats.long_tables", "--ratings", "3000", "--evaluators", "8", "--prompts", "60")
    assert "peak memory" in capsys.readouterr().out


@pytest.mark.django_db
def test_import_and_report_of_ratings_are_timed_beside_copy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    million = benchmark("annotations.import_ratings")
    million.write_ratings(tmp_path / "ratings.csv", ratings=3000, evaluators=8, prompts=60)
    million.measure(tmp_path / "ratings.csv")
    assert "times COPY of its rows" in capsys.readouterr().out


def test_the_search_is_timed_beside_a_loop(model_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options: list[str | Path] = [
        "--model",
        model_folder,
        "--form",
        "jueju5",
        "--rounds",
        "1",
        "--batches",
        "2",
    ]
    run("generation.search_speed", *options)
    assert "as long as the search" in capsys.readouterr().out


def test_relevance_is_judged_for_each_method(
    model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    poems = [replace(poem, part="judge") if poem.collection == "song" else poem for poem in verse()]
    write_corpus(poems, tmp_path / "poems.jsonl")
    options: list[str | Path] = [
        "--corpus",
        tmp_path / "poems.jsonl",
        "--model",
        model_folder,
        "--titles",
        "2",
    ]
    run("generation.relevance", *options)
    assert "inverse_prompting" in capsys.readouterr().out


def test_relevance_of_the_poems_that_are_there_is_judged(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "evidence.json").write_text("[]")
    record = ROOT / "fixtures" / "verse-model" / "training.json"
    (tmp_path / "training.json").write_bytes(record.read_bytes())
    run("generation.relevance_judge", "--titles", "3", "--card", tmp_path / "evidence.json")
    told = capsys.readouterr().out
    assert "inverse_prompting - search_baseline" in told
    assert "| search_baseline | " in (tmp_path / "README.md").read_text()


@pytest.mark.django_db
def test_exports_are_timed_beside_copy(capsys: pytest.CaptureFixture[str]) -> None:
    benchmark("annotations.export_speed").measure(prompts=1, rounds=1)
    assert "450 rows: 50 evaluators x 1 prompts" in capsys.readouterr().out


@pytest.mark.django_db
def test_an_import_is_timed_beside_copy(capsys: pytest.CaptureFixture[str]) -> None:
    benchmark("annotations.import_speed").measure(prompts=5, rounds=1)
    assert "import of 5 prompts x 4 methods:" in capsys.readouterr().out


@pytest.mark.django_db
def test_a_report_is_timed_beside_reading_the_ratings(capsys: pytest.CaptureFixture[str]) -> None:
    benchmark("annotations.report_speed").measure(prompts=2)
    assert "800 ratings: 50 evaluators x 2 prompts" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["pairs", "text", "boundary", "chats", "chat"])
def test_figures_of_the_game_agree_with_a_count_of_its_rounds(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    results = benchmark("turing.results")
    results.fill(rounds=1000, pairs=20, kind=kind)
    results.measure(looks=1, kind=kind)
    told = capsys.readouterr().out
    assert f"{kind}: 1,000 rounds" in told
    assert "both agree: yes" in told


def test_players_at_once_lose_no_round(live_server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    import_pairs(ROOT / "fixtures" / "turing-pairs.jsonl")
    benchmark("turing.players").measure(live_server.thread.port, count=2, seconds=2)
    told = capsys.readouterr().out
    assert "errors: 0" in told
    assert "lost: 0, doubled: 0" in told


@only_long
def test_trios_lose_no_message_whatever_is_killed() -> None:
    # A process of its own, because it brings servers of its own and kills them.
    name = "turing.trios"
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    options = ["--trios", "1", "--players", "1", "--seconds", "20"]
    told = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "errors: 0" in told.stdout, told.stdout + told.stderr
    assert [line for line in told.stdout.splitlines() if line.startswith("kill -9")] == [
        f"kill -9: {one}" for one in ("web", "events", "worker", "database")
    ]
    assert "lost: 0, doubled: 0, out of order: 0" in told.stdout
    assert "stored: 0, machines' turns without one message: 0" in told.stdout


@only_long
def test_a_start_is_timed_against_a_bare_one(capsys: pytest.CaptureFixture[str]) -> None:
    run("evalsite.start_up", "1")
    told = capsys.readouterr().out
    assert [line.split("  ")[0] for line in told.splitlines()[:-1]] == [
        "bare django.setup()", "site's django.setup()", "manage.py check", "check of the frame",
        "web worker", "web worker of the frame", "compose", "import torch", "a poem by compose",
    ]  # fmt: skip
    assert "a poem by compose, of import torch: " in told


@only_long
def test_workers_are_timed_against_the_bare_search() -> None:
    # A process of its own, because it brings a database and a broker of its own.
    name = "generation.worker_speed"
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    options = ["--poems", "1", "--workers", "1", "--form", "jueju5"]
    told = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "of the bare search's time a poem" in told.stdout, told.stderr
    assert "MB a worker" in told.stdout


@only_long
def test_what_one_process_carries_is_measured() -> None:
    name = "evalsite.capacity"
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    options = ["--raters", "2", "--seconds", "0.4", "--prompts", "3", "--poems", "0"]
    told = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "10 million ratings" in told.stdout, told.stderr
    assert "database: a core carries" in told.stdout


@only_long
def test_saves_and_pages_are_measured_beside_plain_django() -> None:
    name = "annotations.questionnaire_speed"
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    options = ["--clients", "2", "--seconds", "0.2", "--prompts", "3"]
    told = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "CPU, save / INSERT" in told.stdout, told.stderr
    rates = [line.split()[-5] for line in told.stdout.splitlines() if " + " in line and "web" not in line]
    assert len(rates) == 4
    assert all(int(rate) > 0 for rate in rates)


class PotatoStandIn(BaseHTTPRequestHandler):
    """What the benchmark asks of a Potato server, answered as that does: four items, and nothing without a session."""

    def do_GET(self) -> None:
        self.answer(1)

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/auth":
            self.send_response(302)
            self.send_header("Set-Cookie", "session=0; HttpOnly; Path=/")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path == "/updateinstance":
            assert json.loads(sent)["annotations"].keys() < {f"quality:::{point}" for point in range(1, 6)}
            self.answer(1)
        else:
            self.server.shown = getattr(self.server, "shown", 1) + 1  # type: ignore[attr-defined]
            self.answer(self.server.shown)  # type: ignore[attr-defined]

    def answer(self, item: int) -> None:
        page = (
            f'<input id="instance_id" value="item-{item % 4}"><input label_name="1" name="quality">'.encode()
        )
        self.send_response(200 if "session=0" in self.headers["Cookie"] else 302)
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        pass


def test_saves_and_pages_are_measured_beside_a_potato_server() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), PotatoStandIn)
    PotatoStandIn.protocol_version = "HTTP/1.1"
    Thread(target=server.serve_forever, daemon=True).start()
    module = benchmark("annotations.questionnaire_speed")
    url = f"http://127.0.0.1:{server.server_port}"
    raters = module.potato_raters(url, 2, 3)
    assert [(rater.items, rater.scale) for rater in raters] == [
        (["item-1", "item-2", "item-3"], "quality")
    ] * 2
    costs = module.cost_of_potato(url, raters, [1, 2], 0.1, 5)
    server.shutdown()
    assert list(costs) == [("Potato page", 1), ("Potato page", 2), ("Potato save", 1), ("Potato save", 2)]
    assert all(cost.rate > 0 and cost.database == 0 for cost in costs.values())


@only_long
def test_reranking_and_neighbours_are_measured_beside_inverse_prompting(
    tmp_path: Path, small_search: None, capsys: pytest.CaptureFixture[str]
) -> None:
    poems = [replace(poem, part="judge") if poem.collection == "song" else poem for poem in verse()]
    write_corpus(poems, tmp_path / "poems.jsonl")
    run("generation.relevance_arms", "--corpus", tmp_path / "poems.jsonl", "--titles", "2")
    told = capsys.readouterr().out
    assert "rank by translation of characters" in told
    assert "neighbours" in told
    assert told.count("guided") == 3
