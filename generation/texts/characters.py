"""The characters of a text before a model sees it: simplified, known or not, printable or not (pure)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container
from functools import cache

# Variants that OpenCC leaves as they are.
VARIANTS = str.maketrans(
    "櫂劒荅箇牀峯羣嶽巗艸邨菴墖壻悮恠凴徃牎葢輭隄閒駡鷄麪剏",
    "棹剑答个床峰群岳岩草村庵塔婿误怪凭往窗盖软堤闲骂鸡面创",
)

# Code points that only stand for another character: Kangxi radicals and compatibility ideographs. Full NFKC would
# also turn Chinese marks into those of ASCII.
COMPATIBILITY = re.compile("[\u2e80-\u2fdf\uf900-\ufaff\U0002f800-\U0002fa1f]")
# What no text in a database or a file can hold: the null character, and halves of characters, which is what bytes that
# are no UTF-8 become on a command line.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# What no text of a file may hold. Half of a surrogate pair can stand in JSON and in no database.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# Upon one letter; more run over the lines above and below. Greek, Hebrew and Tibetan have three.
MOST_MARKS = 3
# Control, format (zero width, direction), surrogate, private use; line and paragraph separators.
INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


@cache
def converter() -> Callable[[str], str]:
    """Return OpenCC's conversion from traditional to simplified, which is loaded with the first call."""
    from opencc import OpenCC

    convert: Callable[[str], str] = OpenCC("t2s").convert
    return convert


def simplified(text: str) -> str:
    """Return a text in the simplified characters of the corpus, marks and all else as they were.

    >>> simplified("楓橋夜泊"), simplified("峯 羣，"), simplified("\uf9d8")
    ('枫桥夜泊', '峰 群，', '律')
    """
    text = COMPATIBILITY.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    return converter()(text).translate(VARIANTS)


def unknown_characters(text: str, known: Container[str]) -> str:
    """Return the characters of a text that are not known, in order and each once; spaces are never unknown."""
    return "".join(
        dict.fromkeys(character for character in text if not character.isspace() and character not in known)
    )


def control_characters(text: str) -> str:
    """Return the characters of a text that print nothing (line ends, zero widths), in order and each once."""
    return "".join(
        dict.fromkeys(character for character in text if unicodedata.category(character) in INVISIBLE)
    )


def has_stacked_marks(text: str) -> bool:
    """Return whether more marks stand upon one letter of a text than any script needs.

    >>> has_stacked_marks("ᾧ é"), has_stacked_marks("o" + 4 * "\u0301")
    (False, True)
    """
    row = 0
    for one in unicodedata.normalize("NFD", text):
        row = row + 1 if unicodedata.category(one) in ("Mn", "Me") else 0
        if row > MOST_MARKS:
            return True
    return False
