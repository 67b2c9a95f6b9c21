"""Pairs and games for the tests. Both texts of a pair are old human poems here: test data, said to be so."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from random import Random
from uuid import UUID

from django.test import Client

from generation.files.problems import Place, Problems
from generation.files.tables import TableRow
from generation.models import Candidate
from generation.prompts import PromptContent
from generation.runs.runs import ImportedText, record_import
from turing.models import Form, Game, Genre, Kind, PoemPair, Round, Side, SourceText
from turing.pairs.conversation_files import checked_conversations, store_conversations
from turing.pairs.normalising import sentences
from turing.pairs.pairing import human_candidates, pair_up

# Lines to build poems from: the tests' own, five characters each and all different.
OPENINGS = [
    "山中一夜雨",
    "江上数峰青",
    "孤舟随远水",
    "落日满秋城",
    "草色连天碧",
    "钟声隔岸清",
    "白云生远岫",
    "寒烟接古津",
]
CLOSINGS = [
    "树杪百重泉",
    "人归落雁前",
    "寒灯照客眠",
    "明月入窗来",
    "微风起白莲",
    "春在野人家",
    "独坐听松声",
    "相思又一年",
]
NUMERALS = "一二三四五六七八九十"
numbers = count()


def poem(rng: Random) -> str:
    """Return a poem of two couplets, five characters a short sentence."""
    first, third = rng.sample(OPENINGS, 2)
    second, fourth = rng.sample(CLOSINGS, 2)
    return f"{first}，{second}。\n{third}，{fourth}。"


def build_pairs(number: int = 12, *, genre: Genre = Genre.POEM, seed: int = 0) -> list[PoemPair]:
    """Create pairs under titles of their own, the human texts with a poet."""
    rng = Random(seed)  # noqa: S311 - the same pairs in every run
    humans = []
    for _ in range(number):
        place = next(numbers)
        title = "测试题" + "".join(NUMERALS[int(digit)] for digit in str(place))
        text = poem(rng) if genre == Genre.POEM else f"这是第 {place} 个问题的回答。\n理由有二。"
        humans.append(
            SourceText.objects.create(
                source_id=f"test-{place}",
                title=title,
                author="无名诗人",
                dynasty="唐",
                form=Form.JUEJU5 if genre == Genre.POEM else "",
                text=text,
            )
        )
    candidates = human_candidates(humans, genre)
    machines = build_machines(candidates, rng)
    return pair_up(candidates, machines).pairs


def build_machines(humans: list[Candidate], rng: Random) -> list[Candidate]:
    """Create a text by the method for each human text, alike in form and other in words."""
    texts = []
    for human in humans:
        text = human.text
        while text == human.text:
            text = (
                poem(rng)
                if human.prompt.genre == Genre.POEM
                else f"另一个回答，编号 {rng.random()}。\n理由有三。"
            )
        texts.append(ImportedText(PromptContent(human.prompt.text), "inverse_prompting_st", text))
    made = record_import(humans[0].prompt.genre, texts, source={"import": "test data"})
    return list(
        Candidate.objects.select_related("prompt").filter(pk__in=[one.pk for one in made]).order_by("pk")
    )


def build_boundaries(number: int = 12, seed: int = 1, turns: Sequence[int] = (2, 3, 4)) -> list[PoemPair]:
    """Create poems that a machine takes over, at the sentences named, by turns."""
    rng = Random(seed)  # noqa: S311 - the same in every run
    humans, machines, takeovers = [], [], []
    for place in range(number):
        title = "接续题" + "".join(NUMERALS[int(digit)] for digit in str(next(numbers)))
        text = poem(rng)
        source = SourceText.objects.create(
            source_id=f"test-boundary-{next(numbers)}",
            title=title,
            author="无名诗人",
            dynasty="唐",
            form=Form.JUEJU5,
            text=text,
        )
        humans += human_candidates([source])
        takeover = turns[place % len(turns)]
        own, other = sentences(text, "poem"), sentences(text, "poem")
        # No sentence twice: a page that shows the first would show the second.
        while set(own) & set(other[takeover - 1 :]):
            other = sentences(poem(rng), "poem")
        gone_on = "".join([*own[: takeover - 1], *other[takeover - 1 :]])
        made = record_import(
            "poem",
            [ImportedText(PromptContent(title), "inverse_prompting_st", gone_on)],
            source={"import": "test data"},
        )
        machines.append(Candidate.objects.select_related("prompt").get(pk=made[0].pk))
        takeovers.append(takeover)
    paired = pair_up(humans, machines, takeovers)
    assert not paired.refused
    return paired.pairs


def conversation(place: int, witness: str, rng: Random, *, trio: bool = True) -> dict[str, object]:
    """Return a conversation as a file has it; whoever the witness is, all that is said has one length."""
    said = [
        ("interrogator", f"第{place:04}问：{rng.choice(OPENINGS)}？"),
        ("witness", rng.choice(CLOSINGS)),
        ("interrogator", rng.choice(OPENINGS)),
        ("witness", f"{rng.choice(CLOSINGS)}{rng.randrange(1000, 9999)}"),
    ]
    return {
        "conversation": f"{place}-{witness}",
        "witness": witness,
        **({"model": "model-a"} if witness == "machine" else {}),
        **({"trio": str(place)} if trio else {}),
        "messages": [{"by": by, "text": text} for by, text in said],
    }


def build_conversations(number: int = 12, *, seed: int = 2, trio: bool = True) -> list[PoemPair]:
    """Create pairs of conversations, those of a trio by one interrogator."""
    rng = Random(seed)  # noqa: S311 - the same in every run
    rows = [
        TableRow(Place(1), conversation(next(numbers), witness, rng, trio=trio))
        for _ in range(number)
        for witness in ("human", "machine")
    ]
    if trio:
        for human, machine in zip(rows[::2], rows[1::2], strict=True):
            machine.fields["trio"] = human.fields["trio"]
    return store_conversations(checked_conversations(rows, Problems("test")), {"import": "test data"}).pairs


def build_for(kind: Kind, number: int = 12) -> list[PoemPair]:
    """Create what a kind of game is played with."""
    if kind == Kind.BOUNDARY:
        return build_boundaries(number)
    return build_conversations(number) if Genre.CHAT in kind.genres else build_pairs(number)


def begin_game(client: Client, genre: Genre = Genre.POEM, start: str = "/turing/") -> Game:
    """Begin a game as a browser does and return it."""
    response = client.post(start, {"genre": genre.value})
    return Game.objects.get(uuid=UUID(response.headers["Location"].rstrip("/").rsplit("/", 1)[1]))


def address_of(game: Game, number: int) -> str:
    return f"/turing/games/{game.uuid}/rounds/{number}/"


def play_round(client: Client, game: Game, number: int, *, right: bool = True, **said: object) -> Round:
    """Look at a round, choose, and return it as it is stored."""
    client.get(address_of(game, number))
    side = Side(str(Round.objects.get(game=game, number=number).human_side))
    client.post(address_of(game, number), {"choice": side if right else side.other, **said})
    return Round.objects.get(game=game, number=number)


def play_game(client: Client, answers: str = "rrrrr") -> Game:
    """Play a whole game: `r` for a right answer, `w` for a wrong one."""
    game = begin_game(client)
    for number, answer in enumerate(answers, start=1):
        play_round(client, game, number, right=answer == "r")
    return game
