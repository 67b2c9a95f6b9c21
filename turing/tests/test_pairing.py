from __future__ import annotations

from random import Random

import pytest

from generation.models import Candidate, GenerationRun
from generation.refusals import Refused
from turing.models import Form, PairRun, PoemPair, SourceText
from turing.pairs.normalising import normalised, shape
from turing.pairs.pairing import human_candidates, pair_finished, pair_up, pick_texts, queue_pairs
from turing.tests.cast import build_machines, build_pairs, poem

METHOD = "inverse_prompting_st"


def source(number: int, text: str = "", title: str = "", form: str = Form.JUEJU5) -> SourceText:
    return SourceText.objects.create(
        source_id=f"source-{number:04}",
        title=title or f"题{number}",
        form=form,
        text=text or poem(Random(number)),
    )


def one_pair(human: str, machine: str) -> tuple[list[Candidate], list[Candidate]]:
    """Return a human and a machine candidate with these texts, not paired yet."""
    humans = human_candidates([source(1, human)])
    machines = build_machines(humans, Random(1))
    Candidate.objects.filter(pk=machines[0].pk).update(text=machine)
    machines[0].text = machine
    return humans, machines


JUEJU = "山中一夜雨，树杪百重泉。\n江上数峰青，人归落雁前。"


@pytest.mark.parametrize(
    ("machine", "why"),
    [
        (JUEJU, "both texts are the same"),
        ("山中一夜雨\n树杪百重泉？江上数峰青；人归落雁前！", "both texts are the same"),
        ("山中一夜風，樹杪百重泉。", "the lines differ in number or length"),
        (JUEJU.replace("青", "青青"), "the lines differ in number or length"),
        (
            "山中一夜雨初晴，树杪百重泉水鸣。江上数峰青不见，人归落雁夕阳明。",
            "the lines differ in number or length",
        ),
    ],
)
def test_a_pair_whose_form_would_tell_is_refused(db: None, machine: str, why: str) -> None:
    paired = pair_up(*one_pair(JUEJU, machine))
    assert paired.pairs == []
    assert why in paired.refused[0]
    assert not PoemPair.objects.exists()


def test_a_text_for_another_prompt_is_refused(db: None) -> None:
    humans = human_candidates([source(1), source(2)])
    machines = build_machines(humans, Random(1))
    assert "the machine's text is for 题2" in pair_up(humans, machines[::-1]).refused[0]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "楓橋夜泊時，江上聞鐘聲？月落烏啼盡！霜天客未眠",
            "枫桥夜泊时，江上闻钟声。\n月落乌啼尽，霜天客未眠。",
        ),
        (
            "枫桥夜泊时 江上闻钟声\n月落乌啼尽 霜天客未眠",
            "枫桥夜泊时，江上闻钟声。\n月落乌啼尽，霜天客未眠。",
        ),
        (
            "枫桥夜泊时;江上闻钟声.月落乌啼尽,霜天客未眠.",
            "枫桥夜泊时，江上闻钟声。\n月落乌啼尽，霜天客未眠。",
        ),
    ],
)
def test_both_sides_wear_the_same_script_marks_and_lines(text: str, shown: str) -> None:
    assert normalised(text, "poem") == shown
    assert normalised(shown, "poem") == shown


def test_in_every_pair_lines_and_lengths_are_equal(db: None) -> None:
    for pair in build_pairs(30):
        human, machine = normalised(pair.human.text, "poem"), normalised(pair.machine.text, "poem")
        assert shape(human) == shape(machine) == ((5, 5), (5, 5))
        assert len(human) == len(machine)
        assert [mark for mark in human if mark in "，。\n"] == [mark for mark in machine if mark in "，。\n"]


def test_pairs_are_numbered_on_without_gaps_and_made_once(db: None) -> None:
    first = build_pairs(3)
    second = build_pairs(4)
    assert [pair.number for pair in first + second] == list(range(7))
    again = pair_up([pair.human for pair in first], [pair.machine for pair in first])
    assert again.pairs == []
    assert PoemPair.objects.count() == 7


def test_poems_of_one_title_have_candidates_of_their_own(db: None) -> None:
    texts = [source(number, title="春望") for number in range(3)]
    made = human_candidates(texts)
    assert [candidate.text for candidate in made] == [text.text for text in texts]
    assert len({candidate.run_id for candidate in made}) == 3
    assert human_candidates(texts) == made
    assert Candidate.objects.count() == 3


def test_the_draw_of_poems_can_be_repeated_and_takes_no_title_twice(db: None) -> None:
    for number in range(30):
        source(number, title=f"题{number % 20}")
    for number in range(30, 35):
        source(number, form="")
    picked = pick_texts(12, seed=3)
    assert [text.pk for text in pick_texts(12, seed=3)] == [text.pk for text in picked]
    assert [text.pk for text in pick_texts(12, seed=4)] != [text.pk for text in picked]
    assert len({text.title for text in picked}) == 12
    assert {text.form for text in picked} == {Form.JUEJU5}
    with pytest.raises(Refused, match="There are 20 poems with titles of their own, not 21"):
        pick_texts(21, seed=3)


def test_poems_drawn_alike_have_no_rarer_characters_than_the_machine_s(db: None) -> None:
    rng = Random(7)
    for number in range(120):
        source(number, text="，".join("瀼鬐氎蘼隰"[:5] for _ in range(2)) + "。\n" + poem(rng).split("\n")[1])
        source(1000 + number, text=poem(rng))
    with pytest.raises(Refused, match="learned from those in play: 50 at least, not 49"):
        build_pairs(49)
        pick_texts(100, seed=3, alike=True)
    build_pairs(1)
    picked = pick_texts(100, seed=3, alike=True)
    assert len({text.title for text in picked}) == 100
    assert sum("瀼" in text.text for text in pick_texts(100, seed=3)) > 20
    assert sum("瀼" in text.text for text in picked) < 10


def write_texts(pair_run: PairRun, number: int) -> None:
    """Do what the workers do: record a text for so many of the run's prompts."""
    humans = list(pair_run.humans.select_related("prompt").order_by("pk"))[:number]
    for place, human in enumerate(humans):
        text = human.text
        while text == human.text:
            text = poem(Random(1000 + place + len(text)))
            place += 1
        Candidate.objects.get_or_create(run=pair_run.run, prompt=human.prompt, defaults={"text": text})


def test_texts_are_paired_as_the_workers_finish_them(db: None) -> None:
    for number in range(9):
        source(number, form=Form.JUEJU5)
    (pair_run,) = queue_pairs(6, method=METHOD, seed=2)
    assert pair_run.run.config == {"form": "jueju5"}
    assert pair_run.run.run_prompts.count() == 6
    assert pair_finished().pairs == []
    write_texts(pair_run, 4)
    assert len(pair_finished().pairs) == 4
    assert len(pair_finished().pairs) == 0
    write_texts(pair_run, 6)
    GenerationRun.objects.filter(pk=pair_run.pk).update(state=GenerationRun.State.DONE)
    assert len(pair_finished().pairs) == 2
    assert PairRun.objects.get().ended_at is not None
    for pair in PoemPair.objects.select_related("human__source_text", "machine__run__method"):
        assert pair.human.source_text.form == Form.JUEJU5
        assert pair.machine.run.method.key == METHOD


def test_what_a_finished_run_wrote_amiss_is_told_once(db: None) -> None:
    source(1)
    (pair_run,) = queue_pairs(1, method=METHOD)
    (human,) = pair_run.humans.all()
    Candidate.objects.create(run=pair_run.run, prompt=human.prompt, text="太短。")
    assert pair_finished().refused == []
    GenerationRun.objects.filter(pk=pair_run.pk).update(state=GenerationRun.State.FAILED)
    assert len(pair_finished().refused) == 1
    assert pair_finished().refused == []


def test_each_form_is_a_run_of_its_own(db: None) -> None:
    source(1)
    source(2, "山中一夜雨初晴，树杪百重泉水鸣。\n江上数峰青不见，人归落雁夕阳明。", form=Form.JUEJU7)
    runs = queue_pairs(2, method=METHOD)
    assert [pair_run.run.config["form"] for pair_run in runs] == ["jueju5", "jueju7"]


def test_a_method_that_is_not_ours_queues_nothing(db: None) -> None:
    source(1)
    with pytest.raises(Refused):
        queue_pairs(1, method="human")
    assert not PairRun.objects.exists()
    assert not Candidate.objects.exists()
