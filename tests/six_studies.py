"""Six studies of texts as today's models write them, each as the file that a researcher has."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any

import xlsxwriter

HUMAN, MODEL = "真人", "GPT-4 (t=0.7)"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Material:
    """A study's texts: rows by the names of their fields, in a file of this kind."""

    key: str
    rows: list[dict[str, Any]]
    is_workbook: bool = False
    rubric: str = "qa"
    rendering: str = "plain"
    # The tag that the pages have, and which way the texts run.
    language: str = "en"
    direction: str = "ltr"
    # What the page makes of the texts, as a selector.
    shows: tuple[str, ...] = field(default=())

    @property
    def file_name(self) -> str:
        return f"{self.key}.{'xlsx' if self.is_workbook else 'json'}"

    def content(self) -> bytes:
        """Return the file as it is uploaded."""
        if not self.is_workbook:
            return json.dumps(self.rows, ensure_ascii=False).encode()
        output = io.BytesIO()
        with xlsxwriter.Workbook(output) as book:
            sheet = book.add_worksheet("Texts")
            for row, cells in enumerate([list(self.rows[0]), *(one.values() for one in self.rows)]):
                for column, cell in enumerate(cells):
                    sheet.write_string(row, column, cell)
        return output.getvalue()


CODE = (
    "def moon(n: int) -> str:\n\tif n == 0:\n\t\treturn 'new'\n\n\n\t# -- \"phases\" ...\n"
    "\treturn {1: 'full'}.get(n, 'half') if n < 28 else moon(n % 28)  # std::vector<int>\n",
    '=1+1\n--upgrade\n  {"a":1}\n\n\tfor (auto it = v.begin(); it != v.end(); ++it) {'
    " std::cout << *it << '\\n'; }   ",
    "SELECT name, count(*) FROM poems WHERE line LIKE '%moon%' AND author <> 'Li Bai' GROUP BY name"
    " HAVING count(*) > 1 ORDER BY 2 DESC; -- one long line that no phone has room for",
    "let x = '\u201cquoted\u201d — “curly”';\r\nconst 月 = 1;\n",
)
MARKDOWN = (
    "# The moon\n\nIt has **phases**:\n\n| day | phase |\n|---|---|\n| 1 | new |\n| 14 | *full* |\n\n"
    "```python\nprint('moon -- full')\n```\n",
    "1. First\n2. Second\n   - nested `code`\n\n> quoted\n\n"
    "<script>alert(1)</script> [link](https://example.org) ![x](y)",
    "Inline maths $e^{i\\pi} + 1 = 0$ and a rule:\n\n---\n\n* a\n* b\n",
    "Plain text without any mark.\n\nA second paragraph, with `pip install --upgrade evalsite`.",
)
TURNS = [
    {"role": "system", "text": "You are a patient guide."},
    {"role": "user", "text": "When is the next full moon?\nI will be in Xi'an."},
    {"role": "assistant", "text": "On Saturday.  Shall I say when it rises?"},
    {"role": "user", "text": "Yes, please 🌕"},
]
ANSWERS = (
    "It rises at 18:42, and you'll see it over the city wall.",
    "At 18:42.",
    "I do not know; ask the observatory.",
    "Look up.\n\nIt is there already.",
)
SENTENCES = (
    "The observatory on the hill was finished in the spring of 1923, when the last of its lenses arrived by sea.",
    "Its keepers wrote down every night what they saw, in a hand so small that forty years fill one shelf.",
    "Nobody had asked them to, and nobody read what they wrote until the roof had to be mended.",
    "“We looked,” the last of them said, “because it was there -- and because the valley was dark.”",
    "In 1951 the town put lamps along the river, and the fainter stars were never entered again.",
)
ARABIC = (
    "القمر جميل في هذه الليلة، وهو أقرب إلى الأرض بمقدار 12% من المعتاد!\n\nليلة هادئة.",
    "نعم. يقول التقرير (GPT-4) إن القمر يكتمل يوم 14 من كل شهر قمري؛ راجع https://example.org/القمر.",
    "لا أعرف، لكن «البدر» يظهر كل شهر.",
    "می‌خواهم بگویم که ماه زیباست.",
)
JAPANESE = (
    "今夜は月が綺麗ですね。「月が綺麗」という言葉には、『愛している』という意味もあります。",
    "満月は、およそ29.5日ごとに巡ってきます。　　次は土曜日です。",
    "わかりません……。ﾂｷは見えません。",
    "はい。\n\n一、東の空を見る。\n二、待つ。",
)


def words(count: int, first: int) -> str:
    """Return a text of at least so many words, in paragraphs."""
    paragraphs: list[str] = []
    while sum(len(one.split()) for one in paragraphs) < count:
        start = first + len(paragraphs)
        paragraphs.append(f"{start}. " + " ".join(islice(cycle(SENTENCES), start % 5, start % 5 + 6)))
    return "\n\n".join(paragraphs)


def answered(texts: tuple[str, ...], *prompts: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a row for each of two texts to each of two prompts."""
    methods = cycle((HUMAN, MODEL))
    return [
        {**prompt, "method": method, "text": text}
        for prompt, text, method in zip(
            (prompts[0], prompts[0], prompts[1], prompts[1]), texts, methods, strict=False
        )
    ]


STUDIES = [
    Material(
        "code",
        answered(CODE, {"prompt": "Write moon(n)."}, {"prompt": "Count the poems\n\tby name."}),
        is_workbook=True,
        rendering="code",
        shows=("pre",),
    ),
    Material(
        "markdown",
        answered(MARKDOWN, {"prompt": "Explain the moon.", "id": "007"}, {"prompt": "Maths?", "id": "008"}),
        rendering="markdown",
        shows=("table", "pre code", "ol li ul li", "blockquote", "strong"),
    ),
    Material(
        "dialogue",
        answered(
            ANSWERS,
            {"prompt": "", "turns": TURNS, "tags": {"domain": "sky"}},
            {"prompt": "Answer in a word.", "turns": TURNS[1:], "tags": {"domain": "words"}},
        ),
    ),
    Material(
        "summary",
        answered(
            (words(60, 3), "A short one.", words(150, 1), "Keepers wrote; nobody read."),
            {"prompt": "Summarise the report.", "source": words(3_000, 1)},
            {"prompt": "Summarise the report.", "source": words(3_000, 2)},
        ),
        is_workbook=True,
        rubric="summary",
    ),
    Material(
        "arabic",
        answered(ARABIC, {"prompt": "كيف يبدو القمر الليلة؟"}, {"prompt": "متى يكتمل القمر (full moon)؟"}),
        is_workbook=True,
        language="ar",
        direction="rtl",
    ),
    Material(
        "japanese",
        answered(JAPANESE, {"prompt": "今夜の月について教えてください。"}, {"prompt": "満月はいつですか。"}),
        language="ja",
    ),
]
