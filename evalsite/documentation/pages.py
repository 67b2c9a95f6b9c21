"""The pages of the documentation: which there are, in which languages, and their Markdown as HTML.

`docs/NAME.md` is a page in English, `docs/zh-hans/NAME.md` the same in Chinese where somebody wrote it. Links between
pages lead to their addresses on the site, and links to other files of the repository to its address, if it has one.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import nh3
from django.conf import settings
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

DOCS: Path = settings.BASE_DIR / "docs"
ENGLISH, CHINESE = "en", "zh-hans"
# What the index shows, in its order.
GROUPS = (
    (_("To begin with"), ("first-study", "glossary", "researchers", "evaluators")),
    (_("In depth"), ("files", "ratings", "judges", "analysts", "models", "api")),
    (_("Running the site"), ("administrators", "backup", "upgrade", "privacy", "scale", "developers")),
)
# A line of Chinese goes on in the next without a blank, unless it is a heading.
CHINESE_LINE_END = re.compile(
    r"^(?!#)(.*[\u3000-\u9fff\uff00-\uffef”])\n(?=[\u4e00-\u9fff“《（])", re.MULTILINE
)
BLOCKS = {"h1", "h2", "h3", "h4", "p", "ul", "ol", "li", "pre", "blockquote", "hr"}
TABLES = {"table", "thead", "tbody", "tr", "th", "td", "div"}
TAGS = BLOCKS | TABLES | {"a", "img", "code", "em", "strong", "s", "br", "kbd"}
ATTRIBUTES = {
    **{heading: {"id"} for heading in ("h1", "h2", "h3", "h4")},
    "a": {"href"},
    "img": {"src", "alt"},
    "ol": {"start"},
    "div": {"class", "tabindex"},
}


@dataclass(frozen=True)
class DocumentationPage:
    """One page in one language; `language` is the one that it is written in."""

    name: str
    title: str
    language: str
    html: SafeString


def page_names() -> list[str]:
    """Return the names of all pages, in the order of the index."""
    return [name for _heading, names in groups() for name in names]


def groups() -> list[tuple[str, list[str]]]:
    """Return the headings of the index with the names of their pages; what stands under none comes last."""
    there = {file.stem for file in DOCS.glob("*.md")}
    found = [(str(heading), [name for name in names if name in there]) for heading, names in GROUPS]
    rest = sorted(there - {name for _heading, names in found for name in names})
    return [*found, (str(_("Further")), rest)] if rest else found


def source(name: str, language: str) -> Path:
    """Return the file of a page in a language, whether there is one or not."""
    return DOCS / f"{name}.md" if language == ENGLISH else DOCS / language / f"{name}.md"


@lru_cache(maxsize=100)
def documentation_page(name: str, language: str) -> DocumentationPage | None:
    """Return a page, in English where it is not written in this language; None where there is no such page."""
    if name not in page_names():
        return None
    written = CHINESE if language == CHINESE and source(name, CHINESE).is_file() else ENGLISH
    text = source(name, written).read_text(encoding="utf-8")
    title = text.partition("\n")[0].removeprefix("# ")
    if written == CHINESE:
        text = CHINESE_LINE_END.sub(r"\1", text)
    path = source(name, written).relative_to(settings.BASE_DIR).as_posix()
    return DocumentationPage(name, title, written, html_of(text, path))


def html_of(text: str, path: str) -> SafeString:
    """Return the Markdown of a file of the repository as HTML; raw HTML in it stays what was typed."""
    # Loaded with the first page that needs it.
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    tokens = parser.parse(text)
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor(tokens[place + 1].content))
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("href", address(str(child.attrGet("href")), path))
            elif child.type == "image":
                child.attrSet("src", address(str(child.attrGet("src")), path))
    html = parser.renderer.render(tokens, parser.options, {})
    html = html.replace("<table>", '<div class="table-scroll" tabindex="0"><table>')
    html = html.replace("</table>", "</table></div>").replace(
        "<pre>", '<div class="code-scroll" tabindex="0"><pre>'
    )
    html = html.replace("</pre>", "</pre></div>")
    return SafeString(nh3.clean(html, tags=TAGS, attributes=ATTRIBUTES, link_rel=None))


def anchor(heading: str) -> str:
    """Return the name by which links lead to a heading, as GitHub makes it.

    >>> anchor("Who rates `what`?")
    'who-rates-what'
    """
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def address(target: str, path: str) -> str:
    """Return where a link in the file `path` of the repository leads on the site."""
    if re.match(r"[a-z]+:|#|/", target):
        return target
    file, hash_mark, place = target.partition("#")
    there = posixpath.normpath(posixpath.join(posixpath.dirname(path), file))
    if there.startswith("docs/") and there.endswith(".md"):
        name = posixpath.basename(there).removesuffix(".md")
        if name in page_names():
            return reverse("documentation", args=[name]) + hash_mark + place
    if there.startswith("docs/") and there.endswith(".png"):
        return reverse("documentation_picture", args=[there.removeprefix("docs/")])
    return (
        f"{settings.SOURCE_URL}/blob/main/{there}" if settings.SOURCE_URL else reverse("documentation_index")
    )


def picture(name: str) -> Path | None:
    """Return the file of a picture of the documentation, or None where there is none of this name."""
    return DOCS / name if name in {str(one.relative_to(DOCS)) for one in DOCS.rglob("*.png")} else None
