"""Telling UTF-8 from GB18030, and refusing everything else (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from generation.files.problems import FileRefused, Problems

NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
LONG_IN_UTF_8 = re.compile("[\u0800-\ufffc\U00010000-\U0010ffff]")
# Where other encodings of Chinese land when they are read as GB18030: its private rows.
PRIVATE = re.compile("[\ue000-\uf8ff]")
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def sniff_encoding(path: Path, problems: Problems) -> str:
    """Return `utf-8-sig` (with or without its mark) or `gb18030`; raise `FileRefused` for any other encoding.

    A file that is UTF-8 but for a few bytes is refused with the place of the first one. Almost any bytes can be read
    as GB18030, so a file counts as that only if most of what is not ASCII is in everyday use (GB 2312). Korean
    in EUC-KR passes that too: no rule of bytes tells it from Chinese.
    """
    with path.open("rb") as file:
        if file.read(2) in UTF_16_MARKS:
            problems.add(0, "", "is UTF-16; save it as UTF-8")
            raise FileRefused(problems)
    utf_8_error = _first_error(path, "utf-8")
    if utf_8_error is None:
        return "utf-8-sig"
    if not _is_damaged_utf_8(path) and _first_error(path, "gb18030") is None and _is_everyday_chinese(path):
        return "gb18030"
    line, offset, byte = utf_8_error
    problems.add(
        line, "", f"byte 0x{byte:02x} at offset {offset:,} is not UTF-8, and the file is not GB18030 either"
    )
    raise FileRefused(problems)


def _lines(path: Path) -> Iterator[bytes]:
    # A line feed is never part of a longer character, neither in UTF-8 nor in GB18030.
    with path.open("rb") as file:
        yield from file


def _first_error(path: Path, encoding: str) -> tuple[int, int, int] | None:
    """Return line, offset in the file and value of the first byte that is wrong."""
    offset = 0
    for number, line in enumerate(_lines(path), start=1):
        try:
            line.decode(encoding)
        except UnicodeDecodeError as error:
            return number, offset + error.start, line[error.start]
        offset += len(line)
    return None


def _texts(path: Path, encoding: str) -> Iterator[str]:
    """Yield what is not ASCII in each line, with U+FFFD for what cannot be read."""
    for line in _lines(path):
        yield "".join(NOT_ASCII.findall(line.decode(encoding, "replace")))


def _is_damaged_utf_8(path: Path) -> bool:
    """Return whether most of the file reads as UTF-8.

    Characters of two bytes prove nothing: Chinese in GB18030 holds many of them by chance, but few of three.
    """
    bad = good = 0
    for text in _texts(path, "utf-8"):
        bad += text.count("\ufffd")
        good += len(LONG_IN_UTF_8.findall(text))
    return bad < 0.3 * (bad + good)


def _is_everyday_chinese(path: Path) -> bool:
    everyday = total = 0
    for text in _texts(path, "gb18030"):
        if PRIVATE.search(text):
            return False
        everyday += len(text.encode("gb2312", "ignore")) // 2
        total += len(text)
    return everyday >= 0.5 * total
