"""Staff begin a self-training in the browser, watch it and cancel it; nobody else sees that it exists."""

from __future__ import annotations

import re
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from generation.engines import model_library
from generation.models import GenerationRun, SelfTraining, TrainingCycle, Worker
from generation.self_training.chain import start_self_training
from generation.self_training.loss_curves import loss_curves
from generation.self_training.titles import TitlesRefused, check_titles, draw_titles, listed_titles
from generation.self_training.views import MEASURES
from generation.tests.self_training_cast import TITLES, make_verse_model
from generation.tests.test_run_pages import shown
from generation.tests.tiny_models import verse_model as tiny_verse_model
from generation.tests.training_cast import verse
from generation.training.losses import held_out_losses
from generation.verse.corpus import write_corpus
from generation.web.once import new_nonce

ADDRESS = "/manage/self-training/"


@pytest.fixture(scope="module")
def verse_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_verse_model(tmp_path_factory.mktemp("models") / "verse")


@pytest.fixture(autouse=True)
def models(
    verse_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    notified: list[str],
) -> Path:
    monkeypatch.setattr(model_library, "OTHERS", tmp_path / "models")
    monkeypatch.setitem(model_library.FOLDERS, "verse", verse_model)
    settings.HOME_DIR = tmp_path
    return tmp_path


@pytest.fixture
def chain(db: None) -> SelfTraining:
    return start_self_training(
        "mine", [TITLES], base_model="verse", steps=4, cycles=2, keep_share=0.5, seed=3
    )


def sent(**changes: object) -> dict[str, object]:
    """What the form sends where only some fields are filled in otherwise."""
    return {
        "name": "mine",
        "base_model": "verse",
        "number": "3",
        "percent": "50",
        "steps": "4",
        "cycles": "2",
        "seed": "7",
    } | changes


def test_cancelling_asks_first(staff: Client, chain: SelfTraining) -> None:
    page = staff.get(f"{ADDRESS}{chain.uuid}/cancel/").content.decode()
    assert f"Cancel the self-training “{chain.name}”?" in page
    chain.refresh_from_db()
    assert chain.state == SelfTraining.State.QUEUED
    staff.post(f"{ADDRESS}{chain.uuid}/cancel/")
    chain.refresh_from_db()
    assert chain.state == SelfTraining.State.CANCELLED


@pytest.mark.parametrize("address", ["", "{}/", "{}/state/", "{}/cancel/", "{}/retry/"])
def test_only_staff_see_that_there_is_self_training(
    client: Client, chain: SelfTraining, address: str
) -> None:
    path = ADDRESS + address.format(chain.uuid)
    assert client.get(path).status_code == HTTPStatus.FOUND, "to the log-in"
    client.force_login(User.objects.create_user("alice"))
    for response in (client.get(path), client.post(path, sent(name="other"))):
        assert response.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
    chain.refresh_from_db()
    assert chain.state == SelfTraining.State.QUEUED
    assert SelfTraining.objects.count() == 1


def test_a_chain_is_begun_in_the_browser_with_drawn_titles(staff: Client) -> None:
    response = staff.post(ADDRESS, sent())
    chain = SelfTraining.objects.get()
    assert response.headers["Location"] == chain.get_absolute_url()
    assert (chain.name, chain.keep_share, chain.steps, chain.cycles, chain.seed) == ("mine", 0.5, 4, 2, 7)
    assert chain.started_by == User.objects.get(username="carol")
    assert [len(titles) for titles in chain.titles] == [3, 3]
    assert chain.titles[0] != chain.titles[1], "each cycle has titles of its own"
    run = GenerationRun.objects.get()
    assert [one.prompt.text for one in run.run_prompts.order_by("number")] == chain.titles[0]


def test_a_second_press_leads_to_the_chain_that_the_first_began(staff: Client) -> None:
    fields = sent(nonce=new_nonce())
    first, second = staff.post(ADDRESS, fields), staff.post(ADDRESS, fields)
    assert first.status_code == second.status_code == 302
    assert first.headers["Location"] == second.headers["Location"]
    assert SelfTraining.objects.count() == 1


@pytest.mark.parametrize(
    "own",
    [
        {"titles": "秋夜\r\n《江上》\r\n秋夜\r\n"},
        {"titles_file": SimpleUploadedFile("titles.txt", "\ufeff秋夜\n江上\n".encode())},
    ],
    ids=["typed", "uploaded"],
)
def test_titles_of_ones_own_are_for_every_cycle(staff: Client, own: dict[str, object]) -> None:
    staff.post(ADDRESS, sent(**own))
    assert SelfTraining.objects.get().titles == [["秋夜", "江上"]]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "Mine!"}, "A name is of small letters"),
        ({"base_model": "smollm2"}, "Select a valid choice"),
        ({"number": ""}, "Say how many titles to draw"),
        ({"number": "5000"}, "titles to draw from here"),
        ({"percent": "0"}, "greater than or equal to 1"),
        ({"titles": "鑫鑫"}, "The model does not know 鑫, in the title 鑫鑫."),
        ({"titles": "<script>"}, "The model does not know &lt;script&gt;, in the title &lt;script&gt;."),
        ({"titles": "秋", "titles_file": SimpleUploadedFile("a", b"a")}, "not in both"),
        ({"titles_file": SimpleUploadedFile("a", "秋夜".encode("gb18030"))}, "The file is not in UTF-8."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_begins(
    staff: Client, changes: dict[str, object], words: str
) -> None:
    response = staff.post(ADDRESS, sent(**changes))
    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert words in response.content.decode()
    assert not SelfTraining.objects.exists()


def test_page_tells_cycle_step_losses_and_poems(staff: Client, chain: SelfTraining) -> None:
    page = shown(staff, chain.get_absolute_url())
    assert "Cycle 1 of 2 · 0 of 4 poems written · step 0 of 4" in page
    assert "It has not begun to learn." in page
    assert "No worker that takes the queue generate has reported" in page
    cycle = chain.training_cycles.get()
    assert f'href="/manage/runs/{cycle.run.uuid}/"' in page
    assert f'href="{chain.get_absolute_url()}"' in shown(staff, cycle.run.get_absolute_url())
    TrainingCycle.objects.update(
        losses=[4.0, 3.5, 3.25, 2.0],
        kept=2,
        checkpoint="ab" * 32,
        finished_at=Now(),
        samples=[["秋夜", "旧诗<b>", "新诗"]],
        held_out=[["text tang", 3.94, 4.1], ["gap a title character", 0.27, 0.268]],
    )
    Worker.objects.report("one@test", queues=["default", "generate"])
    page = shown(staff, chain.get_absolute_url())
    assert "No worker" not in page
    assert "4.000 at the first, 2.000 at step 4" in page
    assert 'points="0.0,0.0 100.0,25.0 200.0,37.5 300.0,100.0"' in page
    assert "2 learnt from" in page
    assert re.search(
        r'<th scope="row">their text after the title, Tang</th> ?<td>3.940</td> ?<td>4.100</td>', page
    )
    assert re.search(r"the same, for a character of the title</th> ?<td>0.270</td> ?<td>0.268</td>", page)
    assert "<strong>mine-1</strong>" in page
    assert "旧诗&lt;b&gt;" in page
    assert "新诗" in page
    assert "style=" not in page, "the site's rules for content allow no style in a page"
    # All steps and no poem of one cycle of two: a quarter.
    assert '<progress max="100" value="25"' in page


def test_page_says_where_no_held_out_losses_were_measured(staff: Client, chain: SelfTraining) -> None:
    TrainingCycle.objects.update(losses=[4.0], kept=2, checkpoint="ab" * 32, finished_at=Now())
    assert "No held-out losses were measured" in shown(staff, chain.get_absolute_url())
    assert "未测留出损失" in shown(staff, chain.get_absolute_url(), "zh-hans")


def test_every_measure_of_the_losses_has_words() -> None:
    tiny = tiny_verse_model()
    song = [replace(poem, collection="song") for poem in verse()]
    measured = held_out_losses(tiny.model, tiny.tokenizer, [*verse(), *song])
    assert set(measured) == set(MEASURES)


def test_curves_are_drawn_in_every_language(staff: Client, chain: SelfTraining) -> None:
    TrainingCycle.objects.update(losses=[4.0, 3.5, 3.25, 2.0])
    drawn = [
        re.findall(r"<polyline[^>]*>", shown(staff, chain.get_absolute_url(), language))
        for language in ("en", "zh-hans")
    ]
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 1


def test_fragment_has_a_digest_that_changes_with_it(staff: Client, chain: SelfTraining) -> None:
    address = f"{chain.get_absolute_url()}state/"

    def digest() -> str:
        found = re.search(r'data-state="(\w+)"', staff.get(address).content.decode())
        assert found
        return found[1]

    first = digest()
    assert digest() == first
    TrainingCycle.objects.update(losses=[4.0])
    assert digest() != first
    page = shown(staff, chain.get_absolute_url())
    assert f'data-source="{address}"' in page


def test_cancelling_and_trying_again(staff: Client, chain: SelfTraining) -> None:
    SelfTraining.objects.update(state=SelfTraining.State.FAILED, error="<i>the disk is full</i>")
    page = shown(staff, chain.get_absolute_url())
    assert "&lt;i&gt;the disk is full&lt;/i&gt;" in page
    assert "Cancel the self-training" not in page
    assert 'id="live"' not in page
    page = staff.post(f"{chain.get_absolute_url()}retry/", follow=True).content.decode()
    assert "The self-training goes on." in page
    page = staff.post(f"{chain.get_absolute_url()}cancel/", follow=True).content.decode()
    assert "The self-training is cancelled." in page
    chain.refresh_from_db()
    assert chain.state == SelfTraining.State.CANCELLED


def test_pages_cost_the_same_at_any_length(
    staff: Client, chain: SelfTraining, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for name in ("a", "b", "c"):
        with django_assert_num_queries(4):
            staff.get(chain.get_absolute_url())
        with django_assert_num_queries(4):
            staff.get(ADDRESS)
        start_self_training(name, [TITLES], base_model="verse", steps=4, cycles=2)


def test_titles_are_drawn_from_the_corpus_where_there_is_one(models: Path) -> None:
    few = draw_titles(3, cycles=1, seed=1, model="verse")
    assert draw_titles(3, cycles=1, seed=1, model="verse") == few
    with pytest.raises(TitlesRefused, match=r"There are \d+ titles") as told:
        draw_titles(5000, cycles=1, seed=1, model="verse")
    (everything,) = draw_titles(int(str(told.value).split()[2]), cycles=1, seed=1, model="verse")
    assert check_titles(everything, "verse") == "", "what is drawn can be written for"
    (models / "corpus").mkdir()
    write_corpus(
        [poem for poem in verse() if poem.title == "静夜思" or "春" in poem.title],
        models / "corpus" / "poems.jsonl",
    )
    ((title,),) = draw_titles(1, cycles=1, seed=1, model="verse")
    assert title == "静夜思" or "春" in title


def test_listed_titles_are_simplified_and_each_there_once() -> None:
    assert listed_titles("《登高》\n\n 登高\n秋興\n") == ["登高", "秋兴"]


def test_many_losses_are_drawn_by_their_means() -> None:
    (curve,) = loss_curves([[float(step % 2) for step in range(1000)]], 1000)
    assert curve is not None
    points = curve.points.split()
    assert len(points) == 143, "seven steps to a point"
    assert (curve.first, curve.last) == (0.0, 1.0)
    assert loss_curves([[], [1.0]], 1)[0] is None


def test_command_begins_a_chain(models: Path, db: None, capsys: pytest.CaptureFixture[str]) -> None:
    (models / "titles.txt").write_text("秋夜\n江上\n")
    call_command("start_self_training", "mine", titles_file=models / "titles.txt", steps=5, cycles=1, seed=2)
    chain = SelfTraining.objects.get()
    assert (chain.titles, chain.steps, chain.started_by) == ([["秋夜", "江上"]], 5, None)
    out, err = capsys.readouterr()
    assert chain.get_absolute_url() in out
    assert "No worker that takes the queue generate" in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"titles": 0}, "must be from 1 to 10000"),
        ({"titles": 5000}, "titles to draw from here"),
        ({"titles": 2, "keep_share": 0.0}, "must be above 0"),
        ({"titles_file": Path("/nowhere")}, "No such file"),
    ],
)
def test_command_tells_in_one_line_what_cannot_be(db: None, options: dict[str, object], message: str) -> None:
    with pytest.raises(CommandError, match=rf"^[^\n]*{message}[^\n]*$"):
        call_command("start_self_training", "mine", **options)
