"""A witness by rules alone, of the kind of ELIZA, so that live conversations can be tried without a model (pure).

Reference: Weizenbaum (1966), ELIZA: a computer program for the study of natural language communication between man and
machine, Communications of the ACM 9, 36-45.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from turing.pairs.conversations import INTERROGATOR, Message

# What is looked for, in this order, and what may be answered; \1 is what was found.
ENGLISH: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"^\W*(hi|hello|hey|good (morning|evening|day))\b", ("hi there", "hey, how's it going?", "hello!")),
    (
        r"\b(bot|robot|machine|computer|ai|program|chatgpt|gpt|human|person)\b",
        (
            "haha why, do I sound like one?",
            "what would a machine say to that?",
            "I get that question a lot today",
        ),
    ),
    (
        r"\bwhere\b.*\b(from|live|are you)\b",
        ("not far from here actually, you?", "a small town, you won't know it"),
    ),
    (r"\b(name|called)\b", ("I'd rather not say my name here", "call me Sam")),
    (r"\bhow old\b|\byour age\b", ("old enough lol", "twenty something. you?")),
    (r"\bweather\b|\brain\b|\bsunny\b", ("grey all day here", "not bad, a bit cold")),
    (
        r"\b(job|work|study|studying)\b",
        ("still a student, long story", "I work in an office, nothing exciting"),
    ),
    (r"\b\d+\s*[-+*x/]\s*\d+\b", ("maths, really? ask me something else", "no idea without my phone")),
    (r"\b(joke|funny)\b", ("I'm terrible at jokes", "you first")),
    (r"\bi (?:feel|am|'m) ([a-z ]{2,30})", (r"why are you \1?", r"since when are you \1?")),
    (r"\b(why)\b", ("why not?", "honestly I don't know")),
    (r"\b(music|film|movie|book|song)s?\b", ("haven't had time for that lately", "depends on my mood. you?")),
    (r"\b(thanks|thank you)\b", ("no problem", "sure")),
    (r"\b(bye|goodbye)\b", ("bye!", "see you")),
    (r"\?\s*$", ("hmm good question. what do you think?", "never thought about it", "not sure, you?")),
)
ENGLISH_ELSE = ("ok, go on", "interesting", "right", "tell me more", "haha ok")
ENGLISH_BEGIN = ("hi", "hello, so what now?", "hey there")
CHINESE: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"^\W*(你好|您好|嗨|哈喽|早上好|晚上好)", ("你好呀", "嗨，在忙啥呢", "你好")),
    (r"(机器|人工智能|程序|真人|AI|ai|GPT|gpt)", ("哈哈，我像机器吗", "为啥这么问", "你猜呢")),
    (r"(哪里|哪儿|住在|哪个城市)", ("小地方，说了你也不知道", "离这儿不远，你呢")),
    (r"(叫什么|名字|姓名)", ("名字就不说了吧", "叫我小林就行")),
    (r"(多大|几岁|年龄|年纪)", ("二十多吧，你呢", "这个保密")),
    (r"(天气|下雨|冷|热)", ("这边阴天", "还行，有点冷")),
    (r"(工作|上班|上学|学习|专业)", ("还在上学", "普通上班的，没啥好说的")),
    (r"\d+\s*[-+*×/加减乘除]\s*\d+", ("别考我数学", "不用手机我可算不出来")),
    (r"(笑话|好笑)", ("我不会讲笑话", "你先讲一个")),
    (r"为什么|为啥", ("不知道诶", "为什么不呢")),
    (r"(音乐|电影|书|歌)", ("最近没时间看", "看心情吧，你呢")),
    (r"(谢谢|多谢)", ("不客气", "没事")),
    (r"(再见|拜拜)", ("拜拜", "再见啦")),
    (r"[？?吗呢]\s*$", ("不好说，你觉得呢", "没想过这个", "嗯……你呢")),
)
CHINESE_ELSE = ("嗯嗯", "然后呢", "这样啊", "哈哈", "继续说")
CHINESE_BEGIN = ("你好", "在吗", "嗨，聊点啥")


def answer_by_rules(said: Sequence[Message], language: str, rng: random.Random) -> str:
    """Return what the rules answer to the last thing that the interrogator said, something not yet said if they can.

    >>> answer_by_rules([Message("interrogator", "bye!")], "en", random.Random(1)) in ("bye!", "see you")
    True
    """
    is_chinese = language.startswith("zh")
    rules, otherwise, opening = (
        (CHINESE, CHINESE_ELSE, CHINESE_BEGIN) if is_chinese else (ENGLISH, ENGLISH_ELSE, ENGLISH_BEGIN)
    )
    asked = next((one.text for one in reversed(said) if one.by == INTERROGATOR), None)
    if asked is None:
        return rng.choice(opening)
    told = {one.text for one in said if one.by != INTERROGATOR}
    for pattern, answers in rules:
        if found := re.search(pattern, asked, re.IGNORECASE):
            fresh = [text for one in answers if (text := found.expand(one)) not in told]
            if fresh:
                return rng.choice(fresh)
    return rng.choice([one for one in otherwise if one not in told] or otherwise)
