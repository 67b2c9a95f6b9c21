"""Tones and rhymes of Chinese characters: the 106 Pingshui rhymes and the rhyme classes of the ci (pure).

The table (data/pingshui.json) gives the characters of each rhyme; its origin and licence are in data/README.md. It is
written in traditional characters and read in both: a simplified character that stands for several traditional ones has
the rhymes of all of them. A rhyme is a bit, a set of rhymes a whole number.

Of the 7,533 Chinese characters that occur at least three times in the `train` part of the corpus (titles and
texts), 937 have no tone; they are 0.2 % of its characters.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from generation.texts.characters import simplified

Tone = Literal["平", "仄", ""]

TABLE = Path(__file__).parent / "data" / "pingshui.json"

# How many rhymes each tone has, in the order of the table: level, rising, departing, entering.
LEVEL, RISING, DEPARTING, ENTERING = 30, 29, 30, 17
LEVEL_RHYMES = (1 << LEVEL) - 1

# Common characters that the table lacks, each before one of the same sound in it: other forms of a character, and a few
# more. Put together for this project.
SAME_SOUND = (
    "啼蹄迹积隠隐疎梳沉寻樽尊炉卢扫嫂簷檐懒嬾遍变惭蚕鶑莺馀余頼赖髪髮慙蚕浄净粧妆猨猿坞土盏栈鬰鬱葱聪灶躁鬭鬥蘂蕊它佗臯高"
    "粗麤珮佩鬬鬥锺钟浣缓巵卮髙高馿驴袜伐蝴胡牋笺涩湿隣邻垅垄堦阶罇尊妬妒敧欹菩扶斾旆腮鳃閙闹倏叔醿縻覩赌鲙脍熳烂椀满癯衢"
    "姮恒抄茅鉏锄挲莎寛宽胭烟餠饼秪祗藁考忻欣嫦常筯箸玻坡飚飙粘黏檝楫稿考怱匆缾瓶燃然鳯凤廻灰碗满鏁锁䕷縻髴弗髣仿懽欢睹赌"
    "坂阪蟋悉袴库珪圭畧略踈梳磵涧穉稚暎映犂犁虀齑飜翻逈迥栢柏峩鹅戌恤鸶丝邉边竝并秖祗欵款碁棋潄漱搘支呌叫岗冈笻筇羮羹糠康"
    "幙幕鵶鸦顇萃浯吾歳岁顦樵讐雠朶朵秔庚濂廉緜绵鸎莺棃梨葡扶茉末隳麾鹍昆覊羁"
)

# The nineteen classes of the Cilin zhengyun as groups of Pingshui rhymes, by their numbers: level, then rising and
# departing together, for the first fourteen; entering for the last five. Eight rhymes are halved there character by
# character; the table does not say where, so all their characters are in both classes.
LEVEL_CLASSES = (
    (1, 2), (3, 22), (4, 5, 8, 10), (6, 7), (9, 10), (11, 12, 13), (13, 14, 15, 16), (17, 18, 19),
    (20,), (9, 21), (23, 24, 25), (26,), (27,), (28, 29, 30),
)  # fmt: skip
RISING_CLASSES = (
    (1, 2), (3, 22), (4, 5, 8, 10), (6, 7), (9, 10), (11, 12, 13), (13, 14, 15, 16), (17, 18, 19),
    (20,), (21,), (23, 24), (25,), (26,), (27, 28, 29),
)  # fmt: skip
DEPARTING_CLASSES = (
    (1, 2), (3, 23), (4, 5, 8, 9, 11), (6, 7), (9, 10, 11), (12, 13, 14), (14, 15, 16, 17), (18, 19, 20),
    (21,), (10, 22), (24, 25), (26,), (27,), (28, 29, 30),
)  # fmt: skip
ENTERING_CLASSES = ((1, 2), (3, 10), (4, 11, 12, 13, 14), (5, 6, 7, 8, 9, 16), (15, 17))
# In a set of classes of the ci: bits 0 to 13 are level, 14 to 27 oblique, 28 to 32 entering.
CI_LEVEL = len(LEVEL_CLASSES)


@cache
def pingshui() -> Mapping[str, int]:
    """Return the set of Pingshui rhymes of each character, simplified and traditional, as bits in the table's order."""
    table: dict[str, str] = json.loads(TABLE.read_text(encoding="utf-8"))
    rhymes: defaultdict[str, int] = defaultdict(int)
    for place, characters in enumerate(table.values()):
        for character in characters:
            for form in {character, simplified(character)}:
                rhymes[form] |= 1 << place
    for character, other in zip(SAME_SOUND[::2], SAME_SOUND[1::2], strict=True):
        rhymes[character] |= rhymes[other]
    return dict(rhymes)


def rhymes_of(character: str) -> int:
    """Return the set of Pingshui rhymes of a character; none where it is not in the table."""
    return pingshui().get(character, 0)


def tone_of(character: str) -> Tone:
    """Return whether a character is level or oblique; empty for one that is both or not in the table."""
    rhymes = rhymes_of(character)
    level, oblique = bool(rhymes & LEVEL_RHYMES), bool(rhymes & ~LEVEL_RHYMES)
    if level == oblique:
        return ""
    return "平" if level else "仄"


@cache
def ci_groups() -> tuple[int, ...]:
    """Return for each of the 33 classes of the ci (14 level, 14 oblique, 5 entering) its set of Pingshui rhymes."""
    rising, departing, entering = LEVEL, LEVEL + RISING, LEVEL + RISING + DEPARTING
    level = [bits(numbers, 0) for numbers in LEVEL_CLASSES]
    oblique = [
        bits(rise, rising) | bits(depart, departing)
        for rise, depart in zip(RISING_CLASSES, DEPARTING_CLASSES, strict=True)
    ]
    return (*level, *oblique, *(bits(numbers, entering) for numbers in ENTERING_CLASSES))


def bits(numbers: tuple[int, ...], start: int) -> int:
    return sum(1 << (start + number - 1) for number in numbers)


@cache
def ci_classes_of(character: str) -> int:
    """Return the set of rhyme classes of the ci that a character is in."""
    rhymes = rhymes_of(character)
    return sum(1 << place for place, group in enumerate(ci_groups()) if rhymes & group)


@cache
def neighbours_of(character: str) -> int:
    """Return the level Pingshui rhymes of a character and all that are with them in a class of the ci."""
    rhymes = rhymes_of(character) & LEVEL_RHYMES
    for group in ci_groups()[:CI_LEVEL]:
        if rhymes_of(character) & group:
            rhymes |= group
    return rhymes


def unmatched(places: list[int]) -> int:
    """Return how many of these sets of rhymes are without the rhyme that most of them share."""
    shared = -1
    for rhymes in places:
        shared &= rhymes
    if shared:
        return 0
    best = 0
    together = 0
    for rhymes in places:
        together |= rhymes
    while together:
        rhyme = together & -together
        together ^= rhyme
        best = max(best, sum(1 for rhymes in places if rhymes & rhyme))
    return len(places) - best
