from __future__ import annotations

import json
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from generation.refusals import Refused
from generation.tests.training_cast import verse
from generation.verse.corpus import (
    Collection,
    Poem,
    clean_title,
    fingerprint,
    load_corpus,
    part_of,
    read_corpus,
    read_entry,
    write_corpus,
)

QUATRAIN = ["床前看月光，疑是地上霜。", "举头望山月，低头思故乡。"]
CI = ["常记溪亭日暮。", "沈醉不知归路。"]
MakePackage = Callable[..., Path]


def tang(**changes: object) -> dict[str, Any]:
    return {"title": "静夜思", "author": "李白", "paragraphs": QUATRAIN, **changes}


def ci(**changes: object) -> dict[str, Any]:
    return {"rhythmic": "如梦令", "author": "李清照", "paragraphs": CI, **changes}


@pytest.fixture
def make_package(tmp_path: Path) -> MakePackage:
    """Write a package with some entries in a file of each collection."""

    def make(
        tang_entries: list[Any], song_entries: list[Any] | None = None, ci_entries: list[Any] | None = None
    ) -> Path:
        package = tmp_path / "package"
        for name, entries in (
            ("quantangshi/poet.tang.0.json", tang_entries),
            ("quantangshi/poet.song.0.json", song_entries or []),
            ("songci/ci.song.1000.json", ci_entries or []),
        ):
            path = package / "dist" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(entries, ensure_ascii=False))
        return package

    return make


def test_a_quatrain_is_kept_with_its_form() -> None:
    poem = read_entry("tang", tang())
    assert poem is not None
    assert (poem.form, poem.title, poem.author, poem.tune) == ("五绝", "静夜思", "李白", "")
    assert poem.text == "床前看月光，疑是地上霜。举头望山月，低头思故乡。"
    assert poem.sentences == ["床前看月光", "疑是地上霜", "举头望山月", "低头思故乡"]


@pytest.mark.parametrize(
    ("length", "couplets", "form"),
    [(5, 2, "五绝"), (7, 2, "七绝"), (5, 4, "五律"), (7, 4, "七律"), (6, 2, "古体")],
)
def test_the_form_goes_by_number_and_length(length: int, couplets: int, form: str) -> None:
    poem = read_entry("tang", tang(paragraphs=[f"{'山' * length}，{'水' * length}。"] * couplets))
    assert poem is not None
    assert poem.form == form


def test_marks_of_regulated_verse_become_comma_and_full_stop() -> None:
    poem = read_entry("tang", tang(paragraphs=["床前看月光？疑是地上霜！", "举头望山月；低头思故乡，"]))
    assert poem is not None
    assert poem.text == "床前看月光，疑是地上霜。举头望山月，低头思故乡。"


def test_marks_of_old_style_verse_stay() -> None:
    poem = read_entry("tang", tang(paragraphs=["君不见？黄河之水天上来！"]))
    assert poem is not None
    assert (poem.form, poem.text) == ("古体", "君不见？黄河之水天上来！")


@pytest.mark.parametrize(
    ("collection", "entry"),
    [
        ("song", tang(paragraphs=["山山山山山山，水水水水水水。"])),
        ("tang", tang(paragraphs=["山山山，水水，云云云云。"])),
        ("tang", tang(paragraphs=["山山山，水水。"] * 9)),
        ("tang", tang(paragraphs=["床前□月光，疑是地上霜。", "举头望山月，低头思故乡。"])),
        ("tang", tang(paragraphs=["床前看月光，疑是地上霜"])),
        ("tang", tang(paragraphs=["床前看月光。"])),
        ("tang", tang(title="")),
        ("tang", tang(title="春日A")),
        ("tang", tang(title="山" * 17)),
        ("ci", ci(rhythmic="失调名")),
        ("ci", ci(rhythmic="□□令")),
        ("ci", ci(paragraphs=["山" * 74 + "。" + "水" * 75 + "。"])),
        ("ci", ci(paragraphs=["常记溪亭日暮。", "（以下缺）沈醉不知归"])),
    ],
    ids=[
        "old style of the Song",
        "odd number of sentences",
        "too many sentences",
        "hole in the text",
        "no mark at the end",
        "one sentence",
        "no title",
        "letter in the title",
        "long title",
        "tune not known",
        "hole in the tune",
        "long ci",
        "damaged ci",
    ],
)
def test_what_is_not_kept(collection: Collection, entry: dict[str, Any]) -> None:
    assert read_entry(collection, entry) is None


def test_notes_are_left_out() -> None:
    poem = read_entry("tang", tang(paragraphs=["床前看（一作明）月光，疑是地上霜。【注】", QUATRAIN[1]]))
    assert poem is not None
    assert poem.text == "床前看月光，疑是地上霜。举头望山月，低头思故乡。"


@pytest.mark.parametrize("author", ["无名氏", "李", "某某某某某", "□白"])
def test_an_author_who_is_none_is_left_out(author: str) -> None:
    poem = read_entry("tang", tang(author=author))
    assert poem is not None
    assert poem.author == ""


def test_a_ci_keeps_its_marks_and_the_first_of_its_tunes() -> None:
    poem = read_entry("ci", ci(rhythmic="如梦令・忆仙姿", paragraphs=["常记、溪亭日暮。", "争渡！"]))
    assert poem is not None
    assert (poem.form, poem.tune, poem.text) == ("词", "如梦令", "常记、溪亭日暮。争渡！")


@pytest.mark.parametrize(
    ("title", "clean"),
    [
        ("横吹曲辞 洛阳陌", "洛阳陌"),
        ("逍遥堂五咏  其二", "逍遥堂五咏"),
        ("杂诗（一作古意）三首", "杂诗"),
        ("三首", "三首"),
        ("春 日", "春日"),
        ("秋兴八首其一", "秋兴"),
        ("A", ""),
    ],
)
def test_titles_lose_numbers_notes_and_song_books(title: str, clean: str) -> None:
    assert clean_title(title) == clean


def test_traditional_characters_and_variants_become_simplified(make_package: MakePackage) -> None:
    package = make_package(
        [tang(title="靜夜思", paragraphs=["牀前看月光，疑是地上霜。", "舉頭望山月，低頭思故鄉。"])]
    )
    (poem,) = read_corpus(package)
    assert (poem.title, poem.text) == ("静夜思", "床前看月光，疑是地上霜。举头望山月，低头思故乡。")


def test_no_text_is_taken_twice(make_package: MakePackage) -> None:
    package = make_package([tang(), tang(title="夜思")], [tang(title="望月")])
    assert [(poem.collection, poem.title) for poem in read_corpus(package)] == [("tang", "静夜思")]


def test_a_ci_is_named_by_a_title_of_several_poems_in_its_text(make_package: MakePackage) -> None:
    titles = [title for title in ("溪亭", "归路", "日暮") if part_of(title, "tang") == "train"]
    assert titles == ["溪亭", "归路", "日暮"]
    # Two poems on 溪亭 are too few, three on 归路 and four on 日暮 are enough; 日暮 stands first in the text.
    quatrains = [
        f"{a * 5}，{b * 5}。{a * 5}，{b * 5}。"
        for a, b in ("山水", "云雨", "花鸟", "风月", "松竹", "江海", "春秋", "东西", "南北")
    ]
    named = ["溪亭"] * 2 + ["归路"] * 3 + ["日暮"] * 4
    entries = [tang(title=title, paragraphs=[text]) for title, text in zip(named, quatrains, strict=True)]
    package = make_package(entries, None, [ci(), ci(paragraphs=["花开。", "花落。"])])
    named_ci = [poem.title for poem in read_corpus(package) if poem.form == "词"]
    assert named_ci == ["日暮", ""]


def many_titles() -> Iterator[dict[str, Any]]:
    characters = "山水云雨花鸟风月松竹江海春秋东西南北"
    for first in characters:
        for second in characters:
            for third in "亭台楼阁":
                text = f"{first}{second}{third}{first}{second}，{second * 5}。{third * 5}，{first * 5}。"
                yield tang(title=f"{first}{second}{third}", paragraphs=[text])


def test_no_held_out_title_is_learnt_from(make_package: MakePackage) -> None:
    entries = list(many_titles())
    doubles = [{**entry, "paragraphs": [entry["paragraphs"][0] * 2]} for entry in entries]
    poems = read_corpus(make_package(entries, doubles, [ci(paragraphs=["山水亭。", "花鸟。"])]))
    titles = {
        part: {poem.title for poem in poems if poem.part == part} for part in ("train", "held_out", "judge")
    }
    assert not titles["held_out"] & (titles["train"] | titles["judge"])
    # Two in a hundred of the titles are held out; a quarter of the Song is the judge's. Four standard errors.
    song = [poem for poem in poems if poem.collection == "song"]
    assert len(song) == len(entries) == 18 * 18 * 4
    assert 0.004 < sum(poem.part == "held_out" for poem in song) / len(song) < 0.036
    assert 0.2 < sum(poem.part == "judge" for poem in song) / len(song) < 0.3
    assert not [poem for poem in poems if poem.part == "judge" and poem.collection == "tang"]


def test_the_same_package_gives_the_same_file(make_package: MakePackage, tmp_path: Path) -> None:
    package = make_package(list(many_titles())[:50], None, [ci()])
    for name in ("one", "two"):
        write_corpus(read_corpus(package), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_files_are_read_in_the_order_of_their_numbers(make_package: MakePackage) -> None:
    package = make_package([tang()])
    folder = package / "dist" / "quantangshi"
    for number in (10000, 2000):
        entry = tang(
            title="望月", paragraphs=[f"{'一' * 5}，{'二' * 5}。{number // 1000 * '三'}，{'四' * 5}。"]
        )
        (folder / f"poet.tang.{number}.json").write_text(json.dumps([entry]))
    assert [len(poem.sentences[2]) for poem in read_corpus(package)] == [5, 2, 10]


def test_a_folder_that_is_no_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="it has no dist/quantangshi"):
        read_corpus(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'[\n{"title": "a",]', "poet.tang.0.json, line 2: is not JSON"),
        (b"{}", "poet.tang.0.json: is no list of poems"),
        (b"\xff", "poet.tang.0.json: is not UTF-8"),
        (
            json.dumps([tang(), {"title": "a", "author": "b"}]).encode(),
            "poet.tang.0.json, entry 2: is no poem",
        ),
        (json.dumps([tang(), tang(), "a"]).encode(), "poet.tang.0.json, entry 3: is no poem"),
        (json.dumps([tang(paragraphs=[1])]).encode(), "poet.tang.0.json, entry 1: is no poem"),
        (json.dumps([tang(title=None)]).encode(), "poet.tang.0.json, entry 1: is no poem"),
    ],
)
def test_a_broken_file_is_refused_by_name(make_package: MakePackage, content: bytes, message: str) -> None:
    package = make_package([])
    (package / "dist" / "quantangshi" / "poet.tang.0.json").write_bytes(content)
    with pytest.raises(Refused, match=message):
        read_corpus(package)


def test_a_corpus_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_corpus(verse(), tmp_path / "poems.jsonl")
    assert load_corpus(tmp_path / "poems.jsonl") == verse()


@pytest.mark.parametrize(
    "line",
    [
        b'{"title": "a"}',
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"collection": "tang", "part": "train", "form": "x", "tune": "", "title": "", "author": "", "text": ""}',
    ],
)
def test_a_line_that_is_no_poem_is_named(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "poems.jsonl"
    write_corpus(verse(), path)
    with path.open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(Refused, match="line 81: is no poem of a prepared corpus"):
        load_corpus(path)


def test_a_corpus_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"cannot be read .No such file or directory.; prepare_corpus makes it"):
        load_corpus(tmp_path / "poems.jsonl")


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "poems.jsonl"
    write_corpus(verse()[:1], path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_corpus(verse(), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert load_corpus(path) == verse()[:1]
    assert list(tmp_path.iterdir()) == [path]


def test_another_order_has_another_fingerprint() -> None:
    poems: list[Poem] = verse()
    assert fingerprint(poems) == fingerprint(list(poems))
    assert fingerprint(poems) != fingerprint(poems[1:] + poems[:1])
