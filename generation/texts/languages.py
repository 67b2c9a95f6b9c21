"""Which language texts seem to be written in, by their script (pure)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from generation.texts.normalising import is_chinese

# By the language that most texts of a script are in; whoever knows better says so in the study's settings.
SCRIPTS = {
    "ja": re.compile("[\u3040-\u30ff]"),
    "ko": re.compile("[\uac00-\ud7a3\u1100-\u11ff]"),
    "ar": re.compile("[\u0600-\u06ff\u0750-\u077f]"),
    "he": re.compile("[\u0590-\u05ff]"),
    "hi": re.compile("[\u0900-\u097f]"),
    "th": re.compile("[\u0e00-\u0e7f]"),
    "ru": re.compile("[\u0400-\u04ff]"),
    "el": re.compile("[\u0370-\u03ff]"),
}
# Of its letters Japanese has as many in kana, Chinese next to none.
LEAST_KANA, LEAST_OTHER = 0.15, 0.5
TEXTS_LOOKED_AT = 500
GUESSED = frozenset({"zh", "en", *SCRIPTS})


# What other languages are written in, by the one that stands for their script.
WRITTEN_AS = {
    "ar": "fa ur ps sd ug ckb", "he": "yi", "hi": "mr ne sa", "ru": "uk be bg sr mk kk ky mn tg", "zh": "yue wuu lzh"
}  # fmt: skip
SCRIPT_OF = {other: tag for tag, others in WRITTEN_AS.items() for other in others.split()}


def language_beside(text: str, tag: str) -> str:
    """Return the tag of a text beside others of this tag: theirs, unless its script says that it is of another.

    >>> language_beside("你好", "en"), language_beside("Bonjour", "fr"), language_beside("سلام", "fa")
    ('zh', 'fr', 'fa')
    """
    primary = tag.lower().partition("-")[0]
    script = SCRIPT_OF.get(primary, primary if primary in GUESSED else "en")
    guessed = language_of(text)
    return tag if guessed == script else guessed


def guessed_language(texts: Sequence[str]) -> str:
    """Return the tag of the language in which most of the texts seem to be written.

    >>> guessed_language(["「はい」と彼は言った。"]), guessed_language(["你好"]), guessed_language(["Hello"])
    ('ja', 'zh', 'en')
    """
    # Of many texts some from all of them tell enough.
    some = texts[:: 1 + len(texts) // TEXTS_LOOKED_AT]
    counts = Counter(language_of(text) for text in some)
    if 2 * counts["zh"] >= len(some):
        return "zh"
    return counts.most_common(1)[0][0]


def language_of(text: str) -> str:
    letters = sum(character.isalpha() for character in text)
    for tag, script in SCRIPTS.items():
        if len(script.findall(text)) > (LEAST_KANA if tag == "ja" else LEAST_OTHER) * letters:
            return tag
    return "zh" if is_chinese(text) else "en"
