"""The encoding of a file of text: told where it is certain, and otherwise asked for with what each reading gives.

UTF-8, UTF-16 and UTF-32 with their marks and UTF-8 without one are certain. Any other bytes could be Chinese as well
as Thai or Greek, so nobody but the sender can say what they are.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generation.files.problems import FileRefused, Problems, shown

T = TypeVar("T")

# What a file without a mark may be read as, when its sender says so.
ENCODINGS: dict[str, Promise] = {
    "gb18030": gettext_lazy("GB18030 or GBK (Chinese)"),
    "big5hkscs": gettext_lazy("Big5 (Chinese)"),
    "shift_jis_2004": gettext_lazy("Shift JIS (Japanese)"),
    "euc_jis_2004": gettext_lazy("EUC-JP (Japanese)"),
    "cp949": gettext_lazy("EUC-KR (Korean)"),
    "cp1252": gettext_lazy("Windows-1252 (Western European)"),
    "cp1250": gettext_lazy("Windows-1250 (Central European)"),
    "cp1251": gettext_lazy("Windows-1251 (Cyrillic)"),
    "koi8_r": gettext_lazy("KOI8-R (Cyrillic)"),
    "cp1253": gettext_lazy("Windows-1253 (Greek)"),
    "cp1254": gettext_lazy("Windows-1254 (Turkish)"),
    "cp1255": gettext_lazy("Windows-1255 (Hebrew)"),
    "cp1256": gettext_lazy("Windows-1256 (Arabic)"),
    "cp1258": gettext_lazy("Windows-1258 (Vietnamese)"),
    "cp874": gettext_lazy("Windows-874 (Thai)"),
    "utf_16_le": gettext_lazy("UTF-16 (little-endian, without a mark)"),
    "utf_16_be": gettext_lazy("UTF-16 (big-endian, without a mark)"),
}
UTF_8 = "utf-8-sig"
# The mark of UTF-32 begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SAMPLE = 64 * 1024
READINGS_TOLD = 3

NOT_ASCII = re.compile("[^\x00-\x7f]")
LONG_IN_UTF_8 = re.compile("[\u0800-\ufffc\U00010000-\U0010ffff]")
# What no text holds: control characters, private rows, and code points that are nobody's.
NO_TEXT = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ue000-\uf8ff\ufffd-\uffff]")


@dataclass(frozen=True)
class Reading:
    """An encoding that a file may be in, and its first line that is not plain ASCII, read so."""

    encoding: str
    label: str
    line: str


class EncodingUnconfirmed(FileRefused):
    """A file that is in none of the encodings that are certain; `readings` has what it may be, likely ones first."""

    def __init__(self, problems: Problems, readings: tuple[Reading, ...]) -> None:
        super().__init__(problems)
        self.readings = readings


def encoding_of(path: Path, problems: Problems, confirmed: str = "") -> str:
    """Return the encoding to read a file with: the confirmed one, or what it certainly is.

    Raises `EncodingUnconfirmed`, or `FileRefused` for bytes that the encoding does not have.
    """
    if confirmed:
        _refuse_misread(path, problems, confirmed)
        return confirmed
    with path.open("rb") as file:
        sample = file.read(SAMPLE)
    certain = next((encoding for mark, encoding in MARKS if sample.startswith(mark)), UTF_8)
    if certain == UTF_8 and sample.count(b"\0") > len(sample) / 5:
        problems.add(0, "", _("is UTF-16 without its mark, or no text at all"))
        raise EncodingUnconfirmed(problems, readings_of(sample))
    error = _first_error(path, certain)
    if error is None:
        return certain
    line, offset, byte = error
    if certain != UTF_8 or _is_damaged_utf_8(path):
        problems.add(
            line, "", _("byte 0x%(byte)02x at offset %(offset)d is not %(encoding)s"),
            byte=byte, offset=offset, encoding="UTF-8" if certain == UTF_8 else certain.upper(),
        )  # fmt: skip
        raise FileRefused(problems)
    readings = readings_of(sample)
    attempts = "; ".join(
        _("read as %(encoding)s: %(line)s") % {"encoding": reading.label, "line": shown(reading.line)}
        for reading in readings[:READINGS_TOLD]
    )
    problems.add(
        line, "", _("is neither UTF-8 nor UTF-16 (%(told)s). Say which encoding it is, or save it as UTF-8"),
        told=attempts or _("and in no encoding that is known here"),
    )  # fmt: skip
    raise EncodingUnconfirmed(problems, readings)


def read_as_said(read: Callable[..., T], encoding: str) -> T:
    """Return what `read(encoding=...)` returns, by the encoding that was said where the file does not tell its own.

    So one word is enough for several files, of which some tell it. Raises as `read` does.
    """
    try:
        return read(encoding="")
    except EncodingUnconfirmed:
        if not encoding:
            raise
        return read(encoding=encoding)


def readings_of(sample: bytes) -> tuple[Reading, ...]:
    """Return how the beginning of a file reads in each encoding that it may be in, the likely ones first."""
    whole_lines = sample[: sample.rfind(b"\n") + 1] or sample
    found = {}
    for encoding, label in ENCODINGS.items():
        content = sample[: len(sample) // 2 * 2] if encoding.startswith("utf_16") else whole_lines
        try:
            lines = content.decode(encoding).splitlines()
        except UnicodeDecodeError:
            continue
        line = next((line for line in lines if NOT_ASCII.search(line)), "")
        if line and not any(NO_TEXT.search(line) for line in lines):
            found[encoding] = Reading(encoding, str(label), line)
    # Loaded only for a file that needs it.
    from charset_normalizer import from_bytes

    likely = [match.encoding for match in from_bytes(whole_lines, cp_isolation=list(found))] if found else []
    return tuple(found[encoding] for encoding in dict.fromkeys([*likely, *found]) if encoding in found)


def _refuse_misread(path: Path, problems: Problems, encoding: str) -> None:
    """Raise `FileRefused` for an encoding that is not known, or whose bytes these are not."""
    try:
        error = _first_error(path, codecs.lookup(encoding).name)
    except LookupError as unknown:
        problems.add(0, "", _("%(encoding)s is no encoding"), encoding=shown(encoding))
        raise FileRefused(problems) from unknown
    if error:
        line, offset, byte = error
        problems.add(
            line, "", _("byte 0x%(byte)02x at offset %(offset)d is not %(encoding)s"),
            byte=byte, offset=offset, encoding=str(ENCODINGS.get(encoding, encoding)),
        )  # fmt: skip
        raise FileRefused(problems)


def _first_error(path: Path, encoding: str) -> tuple[int, int, int] | None:
    """Return line, offset in the file and value of the first byte that is wrong."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, offset = 1, 0
    with path.open("rb") as file:
        while True:
            chunk = file.read(SAMPLE)
            held = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                at = offset - held + error.start
                before = error.object[: error.start].count(b"\n")
                return line + before, at, error.object[error.start]
            if not chunk:
                return None
            line, offset = line + chunk.count(b"\n"), offset + len(chunk)


def _is_damaged_utf_8(path: Path) -> bool:
    """Return whether most of the file reads as UTF-8.

    Characters of two bytes prove nothing: Chinese in GB18030 holds many of them by chance, but few of three.
    """
    bad = good = 0
    for line in _lines(path):
        text = line.decode(errors="replace")
        bad += text.count("\ufffd")
        good += len(LONG_IN_UTF_8.findall(text))
    return bad < 0.3 * (bad + good)


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file
