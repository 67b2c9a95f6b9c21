"""Finished conversations: read from files, put into play in twos, and read by people who were not there."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import translation

from generation.files.problems import FileRefused
from turing.models import Genre, Kind, PoemPair, Results
from turing.pairs.conversation_files import import_conversations
from turing.pairs.conversations import Message, messages_of, transcript, words_of_witness
from turing.results.counting import count_answers
from turing.results.surface import form_shown
from turing.rooms.rooms import open_room
from turing.tests.cast import address_of, begin_game, build_conversations, conversation, play_round
from turing.tests.test_results_page import text_of

CHATS, CHAT = "/turing/chats/", "/turing/chat/"
SAID = [
    {"by": "interrogator", "text": "Where are you?"},
    {"by": "witness", "text": "At home.\nIt rains."},
    {"by": "interrogator", "text": "Nice."},
]


def row(name: str, witness: str = "human", **more: Any) -> dict[str, Any]:
    own = {"model": "A model 1.0"} if witness == "machine" else {}
    return {"conversation": name, "witness": witness, "messages": SAID, **own, **more}


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(json.dumps(one) for one in rows), encoding="utf-8")
    return path


def other(text: str) -> list[dict[str, str]]:
    return [*SAID[:2], {"by": "witness", "text": text}]


def test_a_conversation_is_stored_as_one_text_and_read_again_as_it_was() -> None:
    said = [Message(one["by"], one["text"]) for one in SAID]
    assert messages_of(transcript(said)) == tuple(said)
    assert words_of_witness(transcript(said)) == "At home.\nIt rains."
    tricky = [Message("witness", "A: not I\n\tQ: nor I"), Message("interrogator", "Q: ")]
    assert messages_of(transcript(tricky)) == tuple(tricky)


@pytest.mark.django_db
def test_conversations_of_a_trio_become_a_pair_with_their_provenance_and_without_times(
    tmp_path: Path,
) -> None:
    human = row("1", trio="t", source="our laboratory", licence="CC BY 4.0")
    human["messages"] = [{**one, "sent_at": "2026-01-01"} for one in SAID]
    machine = row("2", "machine", trio="t", persona="a student", messages=other("Why do you ask?"))
    (pair,) = import_conversations(written(tmp_path / "chats.jsonl", [human, machine])).pairs
    assert (pair.genre, pair.is_trio) == (Genre.CHAT, True)
    assert pair.human.notes["licence"] == "CC BY 4.0"
    assert pair.machine.provenance.facts["persona"] == "a student"
    assert pair.machine.run.method.label == "A model 1.0"
    assert pair.machine.run.source["import"] == "chats.jsonl"
    assert "2026" not in json.dumps([pair.human.text, pair.human.notes])
    assert pair.human.text == "Q: Where are you?\nA: At home.\n\tIt rains.\nQ: Nice."


@pytest.mark.django_db
def test_messages_that_nest_deeper_than_the_parser_goes_are_refused(tmp_path: Path) -> None:
    rows = [row("1", messages="[" * 100_000)]
    with pytest.raises(FileRefused, match="must be a list"):
        import_conversations(written(tmp_path / "chats.jsonl", rows))


@pytest.mark.django_db
def test_a_file_with_a_message_a_row_is_the_same_as_one_with_a_conversation_a_row(tmp_path: Path) -> None:
    path = tmp_path / "chats.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["conversation", "witness", "model", "trio", "by", "text"])
        writer.writeheader()
        for name, witness, model, messages in (("1", "human", "", SAID), ("2", "machine", "m", other("No."))):
            for number, one in enumerate(messages):
                said = {"witness": witness, "model": model, "trio": "t"} if number == 0 else {}
                writer.writerow({"conversation": name, **said, **one})
    (pair,) = import_conversations(path).pairs
    assert pair.human.text == "Q: Where are you?\nA: At home.\n\tIt rains.\nQ: Nice."
    assert pair.is_trio


@pytest.mark.django_db
def test_single_conversations_stand_beside_one_another_and_what_is_left_is_said(tmp_path: Path) -> None:
    rows = [row("1"), row("2", "machine", messages=other("No.")), row("3", "machine", messages=other("Yes."))]
    path = written(tmp_path / "chats.jsonl", rows)
    paired = import_conversations(path)
    assert [pair.is_trio for pair in paired.pairs] == [False]
    assert paired.refused == [
        "line 3: there is no conversation with a human left to stand beside it; it is not stored"
    ]
    # Once more, and with another human: only what is new is put together.
    again = import_conversations(written(path, [*rows, row("4", messages=other("Oh."))]))
    assert [pair.machine.notes["conversation"] for pair in again.pairs] == ["3"]
    assert import_conversations(path).pairs == []


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([row("1", "robot")], "line 1, witness: must be human or machine; it is 'robot'"),
        ([{"conversation": "1", "witness": "machine", "messages": SAID}], "line 1, model: is missing: what answered?"),
        ([row("1", messages=SAID[:1])], "line 1, messages: must be by both the interrogator and the witness"),
        ([row("1", messages="hello")], 'line 1, messages: must be a list of {"by": ..., "text": ...}'),
        ([row("1", messages=[{"by": "me", "text": "x"}])], "messages 1: is said by neither interrogator nor witness"),
        ([row("1", messages=[{"by": "witness", "text": " "}])], "messages 1: is empty, or no text that can be stored"),
        ([{"witness": "human", "messages": SAID}], "line 1, conversation: is missing"),
        ([row("1"), row("1", messages=other("x"))], "line 2, conversation: is that of an earlier conversation"),
        ([row("1"), row("2")], "line 2, messages: are those of an earlier conversation, word for word"),
        ([row("1", trio="t")], "line 1, trio: must be of one conversation with a human and one with a machine"),
        ([row("1", persona=7.5)], "line 1, persona: must be text of one line and at most 300 characters"),
    ],
)  # fmt: skip
@pytest.mark.django_db
def test_what_is_wrong_in_a_file_is_said_with_line_and_field_and_nothing_is_stored(
    tmp_path: Path, rows: list[dict[str, Any]], wanted: str
) -> None:
    with pytest.raises(FileRefused) as refused:
        import_conversations(written(tmp_path / "chats.jsonl", rows))
    assert any(wanted in line.replace("chats.jsonl, ", "") for line in refused.value.lines), (
        refused.value.lines
    )
    assert not PoemPair.objects.exists()


@pytest.mark.django_db
def test_two_conversations_of_one_interrogator_lie_side_by_side(client: Client) -> None:
    build_conversations()
    build_conversations(6, seed=9, trio=False)
    game = begin_game(client, Genre.CHAT, CHATS)
    assert all(one.pair.is_trio for one in game.rounds.select_related("pair"))
    page = client.get(address_of(game, 1)).content.decode()
    one = game.rounds.select_related("pair__human", "pair__machine").get(number=1)
    for text in (one.pair.human.text, one.pair.machine.text):
        assert all(message.text in page for message in messages_of(text))
    assert page.count("by-interrogator") == page.count("by-witness") == 4
    play_round(client, game, 1)
    assert "Right." in text_of(client.get(address_of(game, 1)).content)


@pytest.mark.django_db
def test_one_conversation_is_with_a_human_or_a_machine_and_the_list_says_its_first_words(
    client: Client,
) -> None:
    build_conversations(6, trio=False)
    game = begin_game(client, Genre.CHAT, CHAT)
    for number in range(1, 6):
        page = client.get(address_of(game, number)).content.decode()
        one = game.rounds.select_related("pair__human", "pair__machine").get(number=number)
        shown, hidden = one.pair.human.text, one.pair.machine.text
        if one.human_side == "right":
            shown, hidden = hidden, shown
        assert messages_of(shown)[3].text in page
        assert messages_of(hidden)[3].text not in page
        play_round(client, game, number, right=number > 2)
    told = text_of(client.get(f"/turing/games/{game.uuid}/").content)
    assert "3 of 5 right" in told
    assert messages_of(one.pair.human.text)[0].text in told


@pytest.mark.django_db
def test_conversations_have_results_of_their_own_with_d_prime_as_their_kind_asks(client: Client) -> None:
    build_conversations()
    for start in (CHATS, CHAT):
        game = begin_game(client, Genre.CHAT, start)
        for number in range(1, 6):
            play_round(client, game, number)
    count_answers()
    assert set(Results.objects.values_list("kind", flat=True)) == {Kind.CHATS, Kind.CHAT}
    two, one = (text_of(client.get(f"/turing/results/{kind}/").content) for kind in ("chats", "chat"))
    assert "Share of right answers 100.0 %" in two
    assert "Human texts taken for a machine’s" in one
    # Which side is a human's no page with both asks.
    assert "Human texts taken for a machine’s" not in two
    assert client.get("/turing/results/chats.json").json()["scopes"]["all"]["records"] == 5


def test_the_form_that_is_compared_is_that_of_the_witness_alone() -> None:
    assert form_shown("Q: Are you there???\nA: Yes.", Genre.CHAT) == "Yes."


@pytest.mark.django_db
def test_staff_send_a_file_on_a_page_and_learn_what_is_wrong_with_it(tmp_path: Path) -> None:
    carol = Client()
    carol.force_login(User.objects.create_user("carol", is_staff=True))
    rng = Random(1)
    rows = [conversation(1, "human", rng), conversation(1, "machine", rng)]
    good = json.dumps(rows, ensure_ascii=False).encode()
    sent = carol.post("/turing/conversations/", {"file": SimpleUploadedFile("chats.json", good)}, follow=True)
    told = text_of(sent.content)
    assert "1 pair of conversations is in play now." in told
    assert "1 pair with a human and with a machine is in play, 1 of it of one interrogator with both." in told
    bad = SimpleUploadedFile("chats.json", b'[{"conversation": "1"}]')
    refused = carol.post("/turing/conversations/", {"file": bad})
    assert refused.status_code == 400
    assert "chats.json, item 1, witness: is missing" in text_of(refused.content)
    assert PoemPair.objects.count() == 1


@pytest.mark.django_db
def test_conversations_are_stored_by_the_api_once(client: Client) -> None:
    client.force_login(User.objects.create_user("carol", is_staff=True))
    rng = Random(1)
    body = {"conversations": [conversation(1, "human", rng), conversation(1, "machine", rng)]}
    answers = [client.put("/api/v1/turing/conversations/", body, "application/json").json() for _ in range(2)]
    assert answers == [{"pairs": 1, "left_out": []}, {"pairs": 0, "left_out": []}]
    del body["conversations"][1]
    refused = client.put("/api/v1/turing/conversations/", body, "application/json")
    assert refused.status_code in (400, 409)
    assert "must be of one conversation with a human" in json.dumps(refused.json())


@pytest.mark.django_db
def test_the_command_says_what_it_did_or_why_it_did_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [row("1"), row("2", "machine", messages=other("No."))]
    call_command("import_conversations", str(written(tmp_path / "a.jsonl", rows)))
    assert "1 new pairs of conversations; 1 in all." in capsys.readouterr().out
    with pytest.raises(CommandError, match="line 1, witness"):
        call_command("import_conversations", str(written(tmp_path / "b.jsonl", [row("1", "x")])))


@pytest.mark.django_db
def test_a_room_of_conversations_plays_conversations_and_no_poems(client: Client) -> None:
    build_conversations()
    room = open_room("Class", Kind.CHATS, Genre.CHAT, pairs=6)
    assert client.post(f"/turing/rooms/{room.uuid}/", {}).status_code == 302
    with pytest.raises(Exception, match="played with other texts"):
        open_room("Class", Kind.CHATS, Genre.POEM)


@pytest.mark.django_db
def test_pages_of_conversations_are_chinese_where_the_reader_is(client: Client) -> None:
    build_conversations()
    page = client.get(CHATS, headers={"Accept-Language": "zh-hans"}).content.decode()
    with translation.override("zh-hans"):
        question = translation.gettext("Which witness is human?")
    assert question != "Which witness is human?"
    assert question in page
