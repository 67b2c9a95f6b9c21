"""Parts of pages that are rendered once: what is filled in is escaped, and asked for only where it stands."""

from __future__ import annotations

from django.utils.safestring import SafeString, mark_safe

from generation.web.frames import filled, place


def test_what_is_filled_in_is_escaped_unless_it_is_html_already() -> None:
    frame = f"<p>{place('name')}</p>{place('field')}"

    html = filled(frame, {"name": lambda: "<b> & c", "field": lambda: mark_safe("<input>")})

    assert html == "<p>&lt;b&gt; &amp; c</p><input>"
    assert isinstance(html, SafeString)


def test_a_word_is_asked_for_once_and_only_where_it_stands() -> None:
    asked: list[str] = []

    def tell(name: str) -> str:
        asked.append(name)
        return name

    html = filled(f"{place('one')}, {place('one')}", {"one": lambda: tell("one"), "two": lambda: tell("two")})

    assert html == "one, one"
    assert asked == ["one"]
