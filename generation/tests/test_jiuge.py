from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from generation.conftest import Queue
from generation.engines import jiuge
from generation.engines.jiuge import FORMS, JiugeFailed, draw, write_by_jiuge
from generation.files.candidates import read_candidates
from generation.files.problems import FileRefused
from generation.models import Candidate, RunPrompt
from generation.orders import Order, OrderRefused
from generation.refusals import Refused
from generation.runs.writing import write_next

POEMS = {
    "jueju5": "月下一壶酒，山中两卷书。",
    "jueju7": "月下一壶新酿酒，山中两卷旧藏书。",
    "lushi5": "云外千重岭，溪边八九家。",
    "lushi7": "云外千重青翠岭，溪边八九野人家。",
}
ORDER = Order(method="jiuge", genre="poem", prompt="山居", seed=3)
GOOD = json.dumps({"poems": POEMS}, ensure_ascii=False).encode()


@dataclass
class Service:
    """A service that gives prepared answers in turn, the last one over and over, and remembers what it was asked."""

    url: str = ""
    answers: list[tuple[int, bytes]] = field(default_factory=lambda: [(200, GOOD)])
    asked: list[tuple[str, bytes]] = field(default_factory=list)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    prepared = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            prepared.asked.append((self.headers["Content-Type"], body))
            status, answer = prepared.answers.pop(0) if len(prepared.answers) > 1 else prepared.answers[0]
            if status:
                self.send_response(status)
                self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: object) -> None:
            pass

    monkeypatch.setattr(jiuge, "PAUSES", (0.0, 0.0))
    monkeypatch.setattr(jiuge, "TIMEOUT_SECONDS", 5.0)
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        prepared.url = f"http://127.0.0.1:{server.server_port}/poems"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield prepared
        server.shutdown()
        thread.join()


def test_one_of_the_four_poems_is_drawn_and_the_others_are_kept(service: Service) -> None:
    written = write_by_jiuge(service.url, ORDER)
    assert service.asked == [("application/json; charset=utf-8", '{"title": "山居"}'.encode())]
    assert written.best.text == POEMS[written.provenance["form"]]
    assert {written.best.text, *(other.text for other in written.runners_up)} == set(POEMS.values())
    assert written.provenance == {
        "method": "jiuge",
        "service": "127.0.0.1",
        "form": written.provenance["form"],
        "seed": 3,
    }


def test_seed_and_title_decide_the_draw_and_all_forms_come_up_alike() -> None:
    backwards = dict(reversed(POEMS.items()))
    drawn = [draw(POEMS, title=f"题{number}", seed=7) for number in range(2000)]
    assert drawn == [draw(backwards, title=f"题{number}", seed=7) for number in range(2000)]
    assert drawn != [draw(POEMS, title=f"题{number}", seed=8) for number in range(2000)]
    # Four standard deviations of a binomial count of 2,000 draws with p = 1/4 are 77.
    assert all(abs(Counter(drawn)[form] - 500) < 77 for form in FORMS)


@pytest.mark.parametrize("status", [429, 500, 503, 0])
def test_a_service_that_stumbles_is_asked_again(service: Service, status: int) -> None:
    service.answers = [(status, b""), (status, b""), (200, GOOD)]
    assert write_by_jiuge(service.url, ORDER).best.text in POEMS.values()
    assert len(service.asked) == 3


def test_after_three_attempts_it_is_told_in_a_line(service: Service) -> None:
    service.answers = [(503, b"")]
    with pytest.raises(
        JiugeFailed, match=r"^Jiuge gave no answer in 3 attempts: HTTP Error 503: Service Unavailable$"
    ):
        write_by_jiuge(service.url, ORDER)
    assert len(service.asked) == 3


def test_a_service_that_is_not_there_or_silent_is_told_in_a_line(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as deaf:
        monkeypatch.setattr(jiuge, "TIMEOUT_SECONDS", 0.1)
        with pytest.raises(JiugeFailed, match=r"^Jiuge gave no answer in 3 attempts: .*timed out"):
            write_by_jiuge(f"http://127.0.0.1:{deaf.server_port}/", ORDER)
    with pytest.raises(JiugeFailed, match=r"^Jiuge gave no answer in 3 attempts: .*refused"):
        write_by_jiuge(f"http://127.0.0.1:{deaf.server_port}/", ORDER)


def test_a_title_that_the_service_refuses_is_asked_once(service: Service) -> None:
    service.answers = [(400, b"no")]
    with pytest.raises(JiugeFailed, match=r"^Jiuge refused the title: 400 Bad Request$"):
        write_by_jiuge(service.url, ORDER)
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"<html>", "is not JSON: Expecting value"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "is not of the form"),
        (b'{"poems": ["..."]}', "is not of the form"),
        (b'{"poems": {"jueju5": 5}}', "is not of the form"),
        (b'{"poem": {}}', "has no 'poems'"),
        (b'{"poems": {"jueju5": "..."}}', "has no 'jueju7'"),
        (json.dumps({"poems": {**POEMS, "lushi7": " \n"}}).encode(), "poem is empty: lushi7"),
        (b" " * 1_000_001, "is longer than 1,000,000 bytes"),
    ],
)
def test_an_answer_that_is_none_is_told_in_a_line(service: Service, answer: bytes, message: str) -> None:
    service.answers = [(200, answer)]
    with pytest.raises(JiugeFailed, match=message) as failure:
        write_by_jiuge(service.url, ORDER)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (replace(ORDER, genre="qa"), "^method: jiuge writes poems only"),
        (replace(ORDER, prompt=" "), "^title: is empty"),
        (replace(ORDER, prompt="山" * 31), "^title: is 31 characters long; at most 30 are allowed"),
    ],
)
def test_an_order_that_jiuge_cannot_carry_out_is_not_asked(
    service: Service, order: Order, message: str
) -> None:
    with pytest.raises(OrderRefused, match=message):
        write_by_jiuge(service.url, order)
    assert service.asked == []


def test_compose_prints_a_poem_by_jiuge(
    service: Service, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.JIUGE_URL = service.url
    call_command("compose", title="山居", method="jiuge", seed=3)
    assert capsys.readouterr().out.strip() == write_by_jiuge(service.url, ORDER).best.text
    service.answers = [(404, b"")]
    with pytest.raises(CommandError, match=r"^Jiuge refused the title: 404 Not Found$"):
        call_command("compose", title="山居", method="jiuge")


def test_without_an_address_jiuge_is_no_method_here(settings: Settings, queue: Queue) -> None:
    settings.JIUGE_URL = ""
    with pytest.raises(CommandError, match="JIUGE_URL"):
        call_command("compose", title="山居", method="jiuge")
    with pytest.raises(Refused, match="jiuge is no method that can be carried out here"):
        queue("山居", method="jiuge")


def test_a_run_of_jiuge_stores_its_poems(service: Service, settings: Settings, queue: Queue) -> None:
    settings.JIUGE_URL = service.url
    run = queue("山居", "秋夜", method="jiuge", seed=5)
    while write_next(run.queue):
        pass
    run.refresh_from_db()
    assert run.state == run.State.DONE
    assert set(Candidate.objects.values_list("text", flat=True)) <= set(POEMS.values())
    assert [json.loads(body)["title"] for _, body in service.asked] == ["山居", "秋夜"]


def test_a_run_says_why_jiuge_failed(service: Service, settings: Settings, queue: Queue) -> None:
    settings.JIUGE_URL = service.url
    service.answers = [(200, b"{}")]
    run = queue("山居", method="jiuge")
    while write_next(run.queue):
        pass
    failed = run.run_prompts.get()
    assert failed.state == RunPrompt.State.FAILED
    assert failed.error == "JiugeFailed: Jiuge's answer has no 'poems'"


def records(tmp_path: Path, *forms: str, titles: int = 40) -> Path:
    """Write a file with a human's poem and Jiuge's in each of the forms for every title."""
    path = tmp_path / "poems.jsonl"
    rows = []
    for number in range(titles):
        prompt = f"题{number}"
        rows.append({"prompt": prompt, "method": "human", "text": f"山中何所有{number}"})
        rows += [
            {"prompt": prompt, "method": "jiuge", "form": form, "text": f"{form} {number}"} for form in forms
        ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def test_of_records_with_four_forms_one_is_drawn_for_each_title(tmp_path: Path) -> None:
    file = read_candidates(records(tmp_path, *FORMS), "poem", seed=2)
    drawn = {row.prompt.text: row.form for row in file.rows if row.method == "jiuge"}
    assert len(file.rows) == 80
    assert drawn == {f"题{number}": draw(POEMS, title=f"题{number}", seed=2) for number in range(40)}
    assert set(drawn.values()) == set(FORMS)
    other = read_candidates(records(tmp_path, *reversed(FORMS)), "poem", seed=3)
    assert {row.prompt.text: row.form for row in other.rows if row.method == "jiuge"} != drawn


def test_two_records_of_one_form_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused) as refused:
        read_candidates(records(tmp_path, "jueju5", "jueju5", titles=1), "poem")
    assert len(refused.value.lines) == 1
    assert "line 3" in refused.value.lines[0]


def test_one_record_with_a_form_is_taken_as_it_is(tmp_path: Path) -> None:
    file = read_candidates(records(tmp_path, "jueju5", titles=1), "poem")
    assert [(row.place.number, row.method, row.form) for row in file.rows] == [
        (1, "human", ""),
        (2, "jiuge", "jueju5"),
    ]
