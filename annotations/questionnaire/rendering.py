"""How a text stands on a page: plain, as Markdown or as code; the same for all candidates of a study.

Markdown is CommonMark with tables and struck text. Raw HTML, images and links stay the characters they were written
with, and so does mathematics between $, $$, \\( \\) or \\[ \\].
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import nh3
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from annotations.models import Study
from generation.texts.normalising import is_blank

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline

# A formula that never ends is not looked for to the end of its text again and again.
MATHEMATICS = re.compile(
    r"\$\$.{1,2000}?\$\$|\$(?=[^\s$])[^$\n]*[^\s$\\]\$(?!\d)|\$[^\s$\\]\$(?!\d)"
    r"|\\\(.{1,2000}?\\\)|\\\[.{1,2000}?\\\]",
    re.DOTALL,
)
# Whatever the parser makes of a text, nothing else comes to the page.
BLOCKS = {
    "p",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "blockquote",
    "pre",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}
TAGS = BLOCKS | {"code", "em", "strong", "s", "br", "hr"}
ATTRIBUTES = {**{tag: {"dir"} for tag in BLOCKS}, "ol": {"dir", "start"}}
# A page has its prompt as h1 and the letters of its texts as h2.
FIRST_HEADING, LAST_HEADING = 3, 6


def rendered(text: str, study: Study) -> SafeString:
    """Return a text as HTML, as its study renders all of them; `text` is what the study's rule shows."""
    if is_blank(text):
        return format_html('<p class="no-text">{}</p>', _("no text"))
    if study.rendering == Study.Rendering.MARKDOWN:
        return format_html('<div class="markdown">{}</div>', markdown(text))
    if study.rendering == Study.Rendering.CODE:
        # The first line feed is no part of the text: a browser drops one there.
        return format_html('<pre class="code" dir="ltr">\n{}</pre>', text)
    return format_html('<div class="written">{}</div>', text)


def markdown(text: str) -> SafeString:
    """Return Markdown as HTML without raw HTML, images and links.

    >>> markdown("**a** <b>c</b> [d](e) $x_1 * y_1 * z$")
    '<p dir="auto"><strong>a</strong> &lt;b&gt;c&lt;/b&gt; [d](e) $x_1 * y_1 * z$</p>\\n'
    """
    parser = parser_without_links()
    tokens = parser.parse(text)
    for token in tokens:
        if token.type.startswith("heading_"):
            token.tag = f"h{min(int(token.tag[1]) + FIRST_HEADING - 1, LAST_HEADING)}"
        if token.nesting == 1 and token.tag in BLOCKS:
            token.attrSet("dir", "auto")
    html = parser.renderer.render(tokens, parser.options, {})
    return SafeString(nh3.clean(html, tags=TAGS, attributes=ATTRIBUTES))


@cache
def parser_without_links() -> MarkdownIt:
    # Loaded with the first text that needs it: most studies have none.
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    parser.disable(["image", "link", "autolink", "reference"])
    parser.inline.ruler.before("escape", "mathematics", keep_mathematics)
    return parser


def keep_mathematics(state: StateInline, silent: bool) -> bool:
    """Take mathematics as text, so that its backslashes, stars and underscores stay."""
    if state.src[state.pos] not in "$\\":
        return False
    found = MATHEMATICS.match(state.src, state.pos)
    if not found:
        return False
    if not silent:
        state.push("text", "", 0).content = found[0]
    state.pos = found.end()
    return True
