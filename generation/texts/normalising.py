"""How a text is shown, by the rule of its study; what is stored is always the text as it was written (pure).

`shown_text` knows three rules:

- `verse`: `normalise_text` makes all texts alike, so that spaces, line ends and the width of marks cannot give away who
  wrote them.
- `prose`: line ends become line feeds, the text Unicode NFC, and control characters go. Blanks, indentation, dashes,
  quotes and joiners stay.
- `none`: the text is shown as it was written.

`normalise_text` does this:

- Zero-width characters, soft hyphens and direction marks go. Full-width letters, digits and marks of ASCII become
  half width. The text becomes Unicode NFC. Traditional and simplified characters stay as they are.
- Any line end becomes a line feed, any run of spaces (tabs and the full-width space too) one space; lines lose the
  spaces around them, and blank lines go.
- A line with at least as many Chinese characters as Latin words is Chinese: its marks become full width, its quotes
  curly, an ellipsis `……`, a dash `——`, and spaces beside Chinese characters and marks go. Numbers (1,000 and 10:30
  and 3.14), web addresses and calls such as `f(x)` keep their half-width marks.
- Any other line is English: its marks become half width with a space after them, its quotes straight, an ellipsis
  `...`, a dash `—`.
- A Chinese poem is set in couplets if its short sentences are even in number and all of one length, otherwise one
  sentence a line; a line also ends after a short sentence that has no mark. Other texts keep their lines.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import cycle

from generation.genres import GENRES

# Stored with every import; raised with any change of what `normalise_text` returns.
NORMALISER_VERSION = 1

MARKS = dict(zip(",;:?!()", "，；：？！（）", strict=True))
FOLDED: dict[int, str | int | None] = {
    # Invisible: soft hyphen, zero-width characters, direction marks.
    **dict.fromkeys(
        [0x00AD, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A)]
    ),
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},
    **{0xFF61: "。", 0xFF62: "「", 0xFF63: "」", 0xFF64: "、", 0x301C: "~"},
}
TO_FOLD = re.compile(f"[{''.join(map(chr, FOLDED))}]")
LINE_END = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
SPACES = re.compile(r"[^\S\n]+")

HAN = "々〇\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
CHINESE = re.compile(f"[{HAN}]+")
LATIN_WORD = re.compile("[A-Za-z]+")
ADDRESS = r"https?://[A-Za-z0-9_\-./%#=&?+~:@]*[A-Za-z0-9_/]|www\.[A-Za-z0-9_\-./%#=&?+~:@]*[A-Za-z0-9_/]"
WEB_ADDRESS = re.compile(ADDRESS)

# The patterns begin with a literal wherever they can: a pattern that begins with a look-behind is tried at every
# character of every text, and an import would be ten times slower.
DASH = re.compile(rf"({ADDRESS})| *(?:-{{2,}}|[—―─])+ *")
DASH_SIGN = re.compile("[-—―─]")
ELLIPSIS = re.compile(r"(?:\.{3,}|。{3,}|[…⋯])+")
ELLIPSIS_SIGNS = ("...", "。。。", "…", "⋯")

CHINESE_QUOTES = {"「": "“", "」": "”", "『": "‘", "』": "’"}
QUOTE = re.compile('[“”"]')
NO_SPACE_BESIDE = f"{HAN}，。；：？！、（）《》〈〉【】“”‘’…—,;:?!()"
SPACE_IN_CHINESE = re.compile(f" (?:(?=[{NO_SPACE_BESIDE}])|(?<=[{NO_SPACE_BESIDE}] ))")
BLANK_IN_TITLE = re.compile(f"(?<=[{HAN}])([ \u3000])[ \u3000]*(?=[{HAN}])")
APOSTROPHE = re.compile("’(?<=[A-Za-z]’)(?=[A-Za-z])")
FULL_STOP = re.compile(rf"\.(?<=[{HAN}”’》】)]\.)(?![A-Za-z0-9])")
KEPT_HALF_WIDTH = re.compile(
    rf"({ADDRESS}|,(?<=[0-9],)(?=[0-9]{{3}}(?![0-9]))|:(?<=[0-9]:)(?=[0-9])|\((?<=[A-Za-z0-9_]\()[ -'*-~]*\))"
)

ENGLISH_MARKS = {"。": ". ", "、": ", ", **dict.fromkeys("“”„「」『』", '"'), **dict.fromkeys("‘’", "'")}
SPACE_BEFORE_MARK = re.compile(r" (?=[,;:?!)]|\.(?: |$))| (?<=\( )")
ENGLISH_MARK = re.compile(rf"{ADDRESS}|([,;:?!])(?=[A-Za-z])")

# Of Unicode's category Cc all but tab and line feed, which `LINE_END` has made of the other line ends.
CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")

SHORT_SENTENCE = re.compile("[^，。；？！\n]*[，。；？！]+[”’）》】]*|[^，。；？！\n]+")
CLOSERS = "”’）》】"


def default_rule(genre: str) -> str:
    """Return the rule of a new study of this genre."""
    return "verse" if GENRES[genre].is_verse else "prose"


def shown_text(text: str, rule: str, genre: str) -> str:
    """Return a text as it is shown under a rule, `verse`, `prose` or `none`.

    >>> shown_text("if x:\\r\\n\\treturn x -- 1", "prose", "text")
    'if x:\\n\\treturn x -- 1'
    """
    if rule == "verse":
        return normalise_text(text, genre)
    if rule == "prose":
        return unicodedata.normalize("NFC", CONTROL.sub("", LINE_END.sub("\n", text)))
    return text


def shown_prompt(text: str, rule: str) -> str:
    """Return a prompt or its description as it is shown under a rule.

    That of verse sets it on one line; a blank between Chinese words of a title stays.

    >>> shown_prompt("登高　其二", "verse")
    '登高　其二'
    """
    if rule != "verse":
        return shown_text(text, rule, "text")
    return "".join(
        piece if blank else normalise_title(piece)
        for piece, blank in zip(BLANK_IN_TITLE.split(text), cycle((False, True)), strict=False)
    )


def is_blank(text: str) -> bool:
    """Whether a text has no character that prints: spaces, line ends and zero widths alone.

    >>> is_blank(" \\u3000\\u200b\\n"), is_blank(".")
    (True, False)
    """
    # Asked of every cell of a file, and it ends with the first character as a rule: a generator takes twice as long.
    for character in text:  # noqa: SIM110
        if character.isprintable() and not character.isspace():
            return False
    return True


def normalise_text(text: str, genre: str) -> str:
    """Return the text normalised as all texts of this genre are; what is normalised already stays as it is."""
    # One rule's result can be another's occasion, so the rules are repeated until nothing changes.
    for _ in range(8):
        normalised = _normalise_once(text, genre)
        if normalised == text:
            break
        text = normalised
    return text


def normalise_title(text: str) -> str:
    """Return a prompt or its description normalised alike, on one line."""
    return normalise_text(" ".join(normalise_text(text, "qa").split("\n")), "qa")


def is_chinese(text: str, *, otherwise: bool = False) -> bool:
    """Return whether Chinese characters are at least as many as Latin words; `otherwise` where there are neither."""
    words = len(LATIN_WORD.findall(WEB_ADDRESS.sub("", text)))
    characters = sum(map(len, CHINESE.findall(text)))
    return characters >= words if characters or words else otherwise


def _normalise_once(text: str, genre: str) -> str:
    text = SPACES.sub(" ", LINE_END.sub("\n", _fold(text)))
    lines = [line for line in (line.strip(" ") for line in text.split("\n")) if line]
    is_chinese_text = is_chinese(text)
    if GENRES[genre].is_verse and is_chinese_text:
        lines = [_dress_chinese(piece) for line in lines for piece in _spaced_pieces(line)]
        lines = _set_chinese_poem("\n".join(lines))
    else:
        lines = [
            _dress_chinese(line) if is_chinese(line, otherwise=is_chinese_text) else _dress_english(line)
            for line in lines
        ]
    return unicodedata.normalize("NFC", "\n".join(lines))


def _fold(text: str) -> str:
    """Make full-width ASCII half width and drop the invisible."""
    # Nearly all that is to be folded in Chinese are these few marks, and `replace` is the fastest way to do it.
    for half, full in MARKS.items():
        text = text.replace(full, half)
    return text.translate(FOLDED) if TO_FOLD.search(text) else text


def _dress_chinese(line: str) -> str:
    for corner, curly in CHINESE_QUOTES.items():
        line = line.replace(corner, curly)
    line = _curl_quotes(line) if '"' in line else line
    line = _set_dashes(line, "——")
    line = _set_ellipses(line, "……")
    line = SPACE_IN_CHINESE.sub("", line)
    line = FULL_STOP.sub("。", APOSTROPHE.sub("'", line))
    kept = KEPT_HALF_WIDTH.split(line)
    kept[::2] = [_widen(part) for part in kept[::2]]
    return "".join(kept)


def _widen(text: str) -> str:
    for half, full in MARKS.items():
        text = text.replace(half, full)
    return text


def _dress_english(line: str) -> str:
    line = _set_ellipses(line, "...")
    for mark, replacement in ENGLISH_MARKS.items():
        line = line.replace(mark, replacement)
    line = _set_dashes(line, "—")
    line = SPACE_BEFORE_MARK.sub("", SPACES.sub(" ", line))
    return ENGLISH_MARK.sub(lambda match: f"{match[1]} " if match[1] else match[0], line).strip(" ")


def _set_dashes(line: str, dash: str) -> str:
    return DASH.sub(lambda match: match[1] or dash, line) if DASH_SIGN.search(line) else line


def _set_ellipses(line: str, ellipsis: str) -> str:
    return ELLIPSIS.sub(ellipsis, line) if any(sign in line for sign in ELLIPSIS_SIGNS) else line


def _curl_quotes(line: str) -> str:
    """Make straight double quotes curly: one closes if a quote is open, and opens otherwise."""
    is_open = False

    def curl(match: re.Match[str]) -> str:
        nonlocal is_open
        mark = match[0] if match[0] != '"' else "”" if is_open else "“"
        is_open = mark == "“"
        return mark

    return QUOTE.sub(curl, line)


def _spaced_pieces(line: str) -> list[str]:
    """Cut a poem's line where spaces stand for the marks between short sentences, as in 白日依山尽 黄河入海流."""
    if " " not in line:
        return [line]
    pieces = line.split(" ")
    if all(len(piece) == 1 for piece in pieces):
        return ["".join(pieces)]
    return re.split(f"(?<=[{HAN}]) (?=[{HAN}])", line)


def _set_chinese_poem(text: str) -> list[str]:
    """Return the lines of a Chinese poem: couplets if it is regular, otherwise sentences."""
    short_sentences = SHORT_SENTENCE.findall(text)
    lengths = {sum(map(len, CHINESE.findall(short_sentence))) for short_sentence in short_sentences}
    is_regular = len(lengths) == 1 and len(short_sentences) % 2 == 0
    lines, line = [], ""
    for number, short_sentence in enumerate(short_sentences, start=1):
        line += short_sentence
        last = short_sentence.rstrip(CLOSERS)[-1:]
        ends_line = number % 2 == 0 if is_regular else last in tuple("。？！")
        if ends_line or last not in tuple("，。；？！"):
            lines.append(line)
            line = ""
    return [*lines, line] if line else lines
