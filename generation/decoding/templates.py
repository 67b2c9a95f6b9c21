"""What a model reads before it writes, and what it is asked the other way round: the templates of the paper's Table 1.

A template turns a request (a title, a question) into the prompt c_p, and a short sentence s into the inverse prompt s'
and the inverse text c_p' of section 3.2. The same search runs with any of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Formatter


@dataclass(frozen=True)
class Template:
    """A row of the paper's Table 1: three patterns with the fields of a request in braces.

    `{text}` stands for the short sentence. A part of `prompt` that is in `optional` goes where its field is empty.
    `start` says whether the model's own token for the start of a text comes first.
    """

    key: str
    language: str
    prompt: str
    inverse_prompt: str
    inverse_text: str
    optional: Mapping[str, str] = field(default_factory=dict)
    start: bool = True

    def fields(self) -> frozenset[str]:
        """Return the names of the fields that a request can fill."""
        patterns = (self.prompt, self.inverse_prompt, self.inverse_text)
        names = {name for pattern in patterns for _, name, _, _ in Formatter().parse(pattern) if name}
        return frozenset(names - {"text"})

    def write_prompt(self, fields: Mapping[str, str]) -> str:
        """Return c_p, after which the model writes."""
        prompt = self.prompt
        for name, part in self.optional.items():
            if not fields.get(name):
                prompt = prompt.replace(part, "")
        return prompt.format_map(fields)

    def write_inverse_prompt(self, fields: Mapping[str, str], text: str) -> str:
        """Return s', made from a short sentence (or from two that belong together)."""
        return self.inverse_prompt.format_map({**fields, "text": text})

    def write_inverse_text(self, fields: Mapping[str, str]) -> str:
        """Return c_p', whose probability after s' is the inverse score."""
        return self.inverse_text.format_map(fields)


# The verse model was trained on these marks instead of words: they say the same with a third of the tokens.
VERSE = Template(
    key="verse",
    language="zh",
    prompt="<bos><{form}>{tune}《{title}》{author}：",
    inverse_prompt="<bos>「{text}」",
    inverse_text="《{title}》<eos>",
    start=False,
)
VERSE_BY_AUTHOR = Template(
    key="verse_by_author",
    language="zh",
    prompt=VERSE.prompt,
    inverse_prompt=VERSE.inverse_prompt,
    inverse_text="：{author}<eos>",
    start=False,
)

# Table 1 of the paper, in its two languages; where it prints one language, the other is ours.
QA_ZH = Template(
    key="qa_zh",
    language="zh",
    prompt="问题：{question}？描述：{description} 回答：",
    inverse_prompt="“{text}”回答了问题“",
    inverse_text="{question}？",
    optional={"description": "描述：{description} "},
)
QA_EN = Template(
    key="qa_en",
    language="en",
    prompt="Question: {question}? Description: {description} Answer:",
    inverse_prompt='"{text}" answers the question "',
    inverse_text="{question}?",
    optional={"description": " Description: {description}"},
)
POEM_ZH = Template(
    key="poem_zh",
    language="zh",
    prompt="标题：{title} 体裁：诗歌 正文：",
    inverse_prompt="“{text}”出自",
    inverse_text="诗歌《{title}》",
)
POEM_EN = Template(
    key="poem_en",
    language="en",
    prompt="Title: {title} Genre: Poem Text:",
    inverse_prompt='"{text}" is from',
    inverse_text=' the poem "{title}"',
)
POEM_BY_AUTHOR_ZH = Template(
    key="poem_by_author_zh",
    language="zh",
    prompt="标题：{title} 体裁：诗歌 作者：{author} 正文：",
    inverse_prompt="“{text}”的作者是",
    inverse_text="{author}。",
)
POEM_BY_AUTHOR_EN = Template(
    key="poem_by_author_en",
    language="en",
    prompt="Title: {title} Genre: Poem Author: {author} Text:",
    inverse_prompt='"{text}" is written by',
    inverse_text=" {author}.",
)
GENRE_ZH = Template(
    key="genre_zh",
    language="zh",
    prompt="标题：{title} 体裁：{genre} 正文：",
    inverse_prompt="{text}出自",
    inverse_text="{genre}《{title}》",
)
GENRE_EN = Template(
    key="genre_en",
    language="en",
    prompt="Title: {title} Genre: {genre} Text:",
    inverse_prompt="{text} is from",
    inverse_text=" {genre} {title}",
)
EMOTION_ZH = Template(
    key="emotion_zh",
    language="zh",
    prompt="标题：{title} 情感：{emotion} 正文：",
    inverse_prompt="{text}表达了情感：",
    inverse_text="{emotion}",
)
EMOTION_EN = Template(
    key="emotion_en",
    language="en",
    prompt="Title: {title} Emotion: {emotion} Text:",
    inverse_prompt="{text} expresses the emotion",
    inverse_text=" {emotion}",
)
KEYWORDS_ZH = Template(
    key="keywords_zh",
    language="zh",
    prompt="标题：{title} 关键词：{keywords} 体裁：学术论文 正文：",
    inverse_prompt="{text}研究的领域是",
    inverse_text="{keywords}",
)
KEYWORDS_EN = Template(
    key="keywords_en",
    language="en",
    prompt="Title: {title} Keywords: {keywords} Genre: Research Paper Text:",
    inverse_prompt="{text} studies the research field of",
    inverse_text=" {keywords}",
)

TEMPLATES = {
    template.key: template
    for template in (
        VERSE,
        VERSE_BY_AUTHOR,
        QA_ZH,
        QA_EN,
        POEM_ZH,
        POEM_EN,
        POEM_BY_AUTHOR_ZH,
        POEM_BY_AUTHOR_EN,
        GENRE_ZH,
        GENRE_EN,
        EMOTION_ZH,
        EMOTION_EN,
        KEYWORDS_ZH,
        KEYWORDS_EN,
    )
}
