from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from generation.models import Candidate, Provenance
from turing.models import PoemPair, SourceText

ENTRY: dict[str, Any] = {
    "author": "張繼",
    "title": "楓橋夜泊 其一",
    "paragraphs": ["月落烏啼霜滿天，江楓漁火對愁眠。", "姑蘇城外寒山寺，夜半鐘聲到客船。"],
    "id": "3ad6d468-7ff1-4a7b-8b24-a27d70d00ed4",
}
SHORT: dict[str, Any] = {"author": "佚名", "title": "句", "paragraphs": ["殘句無對。"], "id": "short"}
PAIR: dict[str, Any] = {
    "title": "山行",
    "form": "jueju5",
    "human": "山中一夜雨，树杪百重泉。江上数峰青，人归落雁前。",
    "machine": "孤舟随远水，寒灯照客眠。落日满秋城，明月入窗来。",
    "author": "测试",
    "source": "made for this test, 3ad6d468-7ff1-4a7b-8b24-a27d70d00ed4",
    "provenance": {"score": -1.5, "facts": {"model": "test"}},
}


def folder(tmp_path: Path, *files: Any) -> Path:
    for number, entries in enumerate(files):
        content = entries if isinstance(entries, str) else json.dumps(entries, ensure_ascii=False)
        (tmp_path / f"poet.tang.{number * 1000}.json").write_text(content, encoding="utf-8")
    return tmp_path


def run(command: str, path: Path) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command(command, str(path), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def pair_file(tmp_path: Path, *rows: dict[str, Any]) -> Path:
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_poem_is_stored_simplified_with_its_form_and_its_original(db: None, tmp_path: Path) -> None:
    run("import_quantangshi", folder(tmp_path, [ENTRY]))
    text = SourceText.objects.get()
    assert (text.source_id, text.title, text.author, text.dynasty, text.form) == (
        ENTRY["id"], "枫桥夜泊", "张继", "唐", "jueju7"
    )  # fmt: skip
    assert text.text == "月落乌啼霜满天，江枫渔火对愁眠。\n姑苏城外寒山寺，夜半钟声到客船。"
    assert (text.original_title, text.original_author) == (ENTRY["title"], ENTRY["author"])
    assert text.original_text == "\n".join(ENTRY["paragraphs"])


@pytest.mark.parametrize(
    ("characters", "sentences", "form"),
    [
        (5, 4, "jueju5"),
        (7, 4, "jueju7"),
        (5, 8, "lushi5"),
        (7, 8, "lushi7"),
        (4, 8, "old-style"),
        (5, 6, "old-style"),
    ],
)
def test_forms_are_told_by_number_and_length_of_the_short_sentences(
    db: None, tmp_path: Path, characters: int, sentences: int, form: str
) -> None:
    lines = ["山水花鸟风月春"[:characters] + "，。"[place % 2] for place in range(sentences)]
    run("import_quantangshi", folder(tmp_path, [{**ENTRY, "paragraphs": lines}]))
    assert SourceText.objects.get().form == form


def test_what_has_no_form_of_its_own_is_kept_without_one(db: None, tmp_path: Path) -> None:
    run("import_quantangshi", folder(tmp_path, [SHORT]))
    assert SourceText.objects.get().form == ""


def test_importing_again_changes_nothing(db: None, tmp_path: Path) -> None:
    directory = folder(tmp_path, [ENTRY], [SHORT])
    assert "2 poems, 2 of them new" in run("import_quantangshi", directory)[0]
    before = list(SourceText.objects.order_by("pk").values())
    assert "2 poems, 0 of them new" in run("import_quantangshi", directory)[0]
    assert list(SourceText.objects.order_by("pk").values()) == before


def test_a_poem_without_lines_is_left_out_and_named(db: None, tmp_path: Path) -> None:
    out, err = run("import_quantangshi", folder(tmp_path, [ENTRY], [{**SHORT, "paragraphs": []}]))
    assert "left out: poet.tang.1000.json, entry 1: has no lines" in err
    assert "1 without lines left out" in out


def test_everything_wrong_is_told_by_file_and_entry_and_nothing_is_stored(db: None, tmp_path: Path) -> None:
    bad = [ENTRY, {**ENTRY, "author": 7}, {**ENTRY, "id": "other", "paragraphs": "一句"}, "poem", ENTRY]
    with pytest.raises(CommandError) as error:
        run("import_quantangshi", folder(tmp_path, bad, "[{", {}))
    lines = str(error.value).splitlines()
    assert lines[:5] == [
        "Nothing was imported.",
        "poet.tang.0.json, entry 2, author: is missing or no text that can be stored",
        "poet.tang.0.json, entry 3, paragraphs: is missing or no text that can be stored",
        "poet.tang.0.json, entry 4, author, title, paragraphs, id: is missing or no text that can be stored",
        "poet.tang.0.json, entry 5, id: is that of an earlier entry too",
    ]
    assert lines[5].startswith("poet.tang.1000.json: cannot be read: Expecting property name")
    assert lines[6:] == ["poet.tang.2000.json: must hold a list of entries"]
    assert not SourceText.objects.exists()


def test_a_folder_without_the_collection_is_refused(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="it is not the folder quantangshi"):
        run("import_quantangshi", tmp_path)


def test_ready_pairs_are_put_into_play_with_their_provenance(db: None, tmp_path: Path) -> None:
    out, _ = run(
        "import_pairs", pair_file(tmp_path, PAIR, {**PAIR, "machine": PAIR["machine"].replace("孤", "归")})
    )
    assert out == "2 new pairs; 2 in all.\n"
    pair = PoemPair.objects.select_related("human__source_text", "machine__run__method").get(number=0)
    assert pair.human.source_text.source_id == "3ad6d468-7ff1-4a7b-8b24-a27d70d00ed4"
    assert pair.human.source_text.author == "测试"
    assert pair.human.text.splitlines() == ["山中一夜雨，树杪百重泉。", "江上数峰青，人归落雁前。"]
    assert pair.machine.run.method.key == "inverse_prompting_st"
    assert Provenance.objects.get(candidate=pair.machine).facts == {"model": "test"}


def test_ready_pairs_are_imported_once(db: None, tmp_path: Path) -> None:
    path = pair_file(tmp_path, PAIR)
    run("import_pairs", path)
    assert run("import_pairs", path)[0] == "0 new pairs; 1 in all.\n"
    more = pair_file(tmp_path, PAIR, {**PAIR, "title": "江行", "source": "another"})
    assert run("import_pairs", more)[0] == "1 new pairs; 2 in all.\n"
    assert Candidate.objects.count() == 4


def test_pairs_and_the_collection_share_their_texts(db: None, tmp_path: Path) -> None:
    human = {**ENTRY, "paragraphs": ["山中一夜雨，樹杪百重泉。", "江上數峰青，人歸落雁前。"], "title": "山行"}
    run("import_pairs", pair_file(tmp_path, PAIR))
    run("import_quantangshi", folder(tmp_path, [human]))
    text = SourceText.objects.get()
    assert text.author == "张继"
    assert text.candidate == PoemPair.objects.get().human


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"machine": "孤舟随远水。"}, "line 1, machine: has other lines than the human text: ((5,),), not ((5, 5),"),
        ({"machine": PAIR["human"]}, "line 1, machine: is the human text"),
        ({"title": " "}, "line 1, title: is empty"),
        ({"source": None}, "line 1, source: is missing or no text"),
        ({"form": "sonnet"}, "line 1, form: must be one of jueju5"),
        ({"method": "our method"}, "line 1, method: 'our method' may only hold"),
        ({"colour": "red"}, "line 1, colour: is none of title, human"),
        ({"provenance": {"secret": 1}}, "line 1, provenance: must be an object with score"),
        ({"title": "\x00"}, "line 1, title: is longer than 500 characters or holds control characters"),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_a_pair_that_is_wrong_is_told_by_line_and_field(
    db: None, tmp_path: Path, change: dict[str, Any], problem: str
) -> None:
    with pytest.raises(CommandError) as error:
        run("import_pairs", pair_file(tmp_path, {**PAIR, **change}))
    assert f"pairs.jsonl, {problem}" in str(error.value)
    assert not Candidate.objects.exists()


def test_one_source_has_one_text_and_one_pair_comes_once(db: None, tmp_path: Path) -> None:
    other = {**PAIR, "human": PAIR["human"].replace("山", "江")}
    with pytest.raises(CommandError) as error:
        run("import_pairs", pair_file(tmp_path, PAIR, other, PAIR))
    assert "line 2, human: differs from that of the same source on line 1" in str(error.value)
    assert "line 2: is the pair of line 1 again (2 of this kind: lines 2, 3)" in str(error.value)
