"""Having a poem written in a real Chromium; but for one test, the test itself is the worker that writes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from generation.engines.model_library import VERSE, is_there
from generation.models import Composition, Worker
from generation.orders import OrderRefused, ScoredText, SentenceScore, Step, Written
from generation.runs.claiming import Claim, claim, give_up, record, report_step
from tests.browsing import NARROW, PHONE, needs_browser
from tests.worker_site import RealWorkerProcess, own_site

pytestmark = [
    *needs_browser,
    pytest.mark.skipif(not is_there(VERSE), reason="the verse model is not in fixtures/verse-model"),
]

# 王之涣, 登鹳雀楼
SENTENCES = ("白日依山尽，", "黄河入海流。", "欲穷千里目，", "更上一层楼。")
WRITE_SECONDS = 180_000


@pytest.fixture
def at_work(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker has reported, and nobody else is notified."""
    monkeypatch.setattr("evalsite.celery.app.send_task", lambda *arguments, **options: None)
    Worker.objects.report("test@test", queues=["default", "generate"])


def ask(page: Page, title: str = "登鹳雀楼", **fields: str) -> None:
    for name, value in {"title": title, **fields}.items():
        page.locator(f"#id_{name}").fill(value)
    page.get_by_role("button", name=re.compile("^(Write the poem|写诗)$")).click()


def arrive(page: Page) -> None:
    page.wait_for_url(re.compile(r"/compose/[-0-9a-f]{36}/$"))
    page.wait_for_load_state("load")


def taken() -> Claim:
    claimed = claim("generate")
    assert claimed is not None
    return claimed


def poem(*sentences: str) -> Written:
    scored = tuple(SentenceScore(sentence, -4.0, -2.0) for sentence in sentences)
    best = ScoredText("".join(sentences), -3.0, {"inverse": -2.0, "forward": -1.0, "format": 0.0}, scored)
    other = ScoredText(
        "".join(sentences[::-1]), -4.0, {"inverse": -2.0, "forward": -1.0, "format": -1.0}, scored
    )
    return Written(best, (other,), seconds=1.0, provenance={"model": "verse", "seed": 1})


def finish(page: Page) -> None:
    record(taken(), poem(*SENTENCES))
    expect(page.locator("#state")).to_have_text(re.compile(r"Written\.|写完了。"))


def is_wider_than_the_window(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def places(page: Page) -> dict[str, list[int]]:
    """Return where on the page everything stands that is there before the text is, in whole pixels."""
    names = [".sheet", "#text", "#text p:last-child", "#bar", "#state", "#link", "#address", "#copy"]
    found: dict[str, list[int]] = page.evaluate(
        """names => Object.fromEntries(names.map(name => {
            const { x, y, width, height } = document.querySelector(name).getBoundingClientRect();
            return [name, [x, y, width, height].map(Math.round)];
        }))""",
        names,
    )
    return found


def test_a_poem_comes_sentence_by_sentence_and_nothing_moves(
    visit: Callable[..., Page], at_work: None
) -> None:
    page = visit("/compose/poem/", permissions=["clipboard-read", "clipboard-write"])
    ask(page, heads="白")
    arrive(page)
    expect(page.locator("#state")).to_have_text("Waiting for a worker to be free.")
    expect(page.locator("#text p")).to_have_text(["白□□□□，□□□□□。", "□□□□□，□□□□□。"])
    before = places(page)
    claimed = taken()
    for number in (1, 2, 3):
        report_step(claimed, Step(number, 4, "".join(SENTENCES[:number])))
        said = f"{number} of at most 4 short sentences are written."
        expect(page.locator("#state")).to_have_text(said)
        expect(page.locator("#text .unwritten").first).to_be_visible()
        assert places(page) == before
    record(claimed, poem(*SENTENCES))
    expect(page.locator("#state")).to_have_text("Written.")
    expect(page.locator("#text p")).to_have_text(["白日依山尽，黄河入海流。", "欲穷千里目，更上一层楼。"])
    expect(page.get_by_role("heading", name="How it scored")).to_be_visible()
    assert places(page) == before
    page.locator("#copy").click()
    expect(page.locator("#copy")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.url


def test_another_try_and_the_texts_that_came_close(visit: Callable[..., Page], at_work: None) -> None:
    page = visit("/compose/poem/")
    ask(page)
    arrive(page)
    finish(page)
    expect(page.locator("details p").first).to_be_hidden()
    page.locator("summary").click()
    expect(page.locator("details p").first).to_contain_text("更上一层楼。欲穷千里目，")
    first = page.url
    page.get_by_role("button", name="Another try").dblclick()
    page.wait_for_url(lambda url: url != first)
    assert Composition.objects.count() == 2


def test_a_page_that_waits_works_without_a_script(visit: Callable[..., Page], at_work: None) -> None:
    page = visit("/compose/poem/", java_script_enabled=False)
    ask(page)
    arrive(page)
    record(taken(), poem(*SENTENCES))
    expect(page.locator("#state")).to_have_text("Waiting for a worker to be free.")
    page.get_by_role("link", name="Look how far it is now").click()
    expect(page.locator("#state")).to_have_text("Written.")
    expect(page.locator("#copy")).to_be_hidden()


def test_what_the_model_refuses_is_told_on_the_page(visit: Callable[..., Page], at_work: None) -> None:
    page = visit("/compose/poem/", locale="zh-CN")
    ask(page)
    arrive(page)
    give_up(taken(), OrderRefused("title: the model verse knows none of the characters of 登鹳雀楼"))
    expect(page.locator("#state.went-wrong")).to_contain_text("登鹳雀楼")
    page.locator(".ways a").click()
    expect(page.locator("#id_title")).to_have_value("登鹳雀楼")


def test_what_is_typed_runs_nowhere(visit: Callable[..., Page], at_work: None) -> None:
    # More Chinese than English, because no English model may be there to ask.
    attack = "春江夜<svg onload=alert(1)>"
    page = visit("/compose/poem/")
    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    ask(page, attack, author="'\"><b>李")
    arrive(page)
    claimed = taken()
    report_step(claimed, Step(1, 4, f"{attack}，"))
    expect(page.locator("#text")).to_contain_text("<svg onload")
    record(claimed, poem(f"{attack}，", *SENTENCES[1:]))
    expect(page.locator("#state")).to_have_text("Written.")
    expect(page.locator("main svg[onload], main b")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_a_narrow_window_is_enough(
    visit: Callable[..., Page], at_work: None, scheme: str
) -> None:
    page = visit("/compose/poem/", size=NARROW, color_scheme=scheme)
    seen = []

    def look() -> None:
        found = Axe().run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
        assert not is_wider_than_the_window(page)
        seen.append(page.url)

    look()
    ask(page, tune="水调歌")
    expect(page.get_by_role("alert")).to_be_visible()
    look()
    ask(page, tune="如梦令")
    arrive(page)
    look()
    finish(page)
    page.locator("summary").click()
    look()
    page.goto("/compose/answer/")
    look()
    assert len(seen) == 5


@pytest.fixture
def real_worker(transactional_db: None, own_home: Path) -> Iterator[RealWorkerProcess]:
    """A worker with the model that comes with the site, on servers of their own."""
    with pytest.MonkeyPatch.context() as patch, own_site(patch, own_home) as home:
        worker = RealWorkerProcess("real", home / "real.log")
        worker.wait_until_there()
        yield worker
        worker.end()


def test_a_poem_is_composed_by_the_shipped_model_on_a_phone(
    visit: Callable[..., Page], real_worker: RealWorkerProcess
) -> None:
    page = visit("/compose/poem/", size=PHONE, is_mobile=True, has_touch=True)
    ask(page, "春夜喜雨", heads="春夜喜雨")
    arrive(page)
    expect(page.locator("#state")).to_have_text("Written.", timeout=WRITE_SECONDS)
    assert re.fullmatch(
        "春.{4}，夜.{4}。喜.{4}，雨.{4}。", page.locator("#text").inner_text().replace("\n", "")
    )
    expect(page.locator(".scores dt")).to_have_count(6)
    assert not is_wider_than_the_window(page)
