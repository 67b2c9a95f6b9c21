"""The traits in which the texts of methods differ beside their words are counted, and a change is shown where it is."""

from __future__ import annotations

import pytest

from generation.texts.typography import first_change, uneven_traits


def labels(*texts: list[str]) -> list[str]:
    return [row.label for row in uneven_traits(texts)]


def test_methods_alike_differ_in_nothing() -> None:
    assert labels(["One, two."] * 4, ["Three, four."] * 4) == []


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("a\r\nb", "carriage returns"),
        ("a\n\nb", "blank lines"),
        (" a", "blanks at the beginning or the end of a line"),
        ("a  b", "several blanks in a row"),
        ("a\tb", "tabs"),
        ("a\u00a0b", "no-break or ideographic spaces"),
        ("a\u200bb", "invisible characters"),
        ("a，b", "full-width marks ， ； ： ？ ！ （ ）"),
        ("ａb", "full-width letters or digits"),
        ("“a", "curly quotes"),
        ("「a」", "other quotes 「 『 « „"),
        ("a—b", "dashes — or –"),
        ("a--b", "double hyphens --"),
        ("a…", "ellipses …"),
        ("a...", "three dots ..."),
        ("# a", "Markdown: headings"),
        ("1. a", "Markdown: lists"),
        ("**a**", "Markdown: bold, code or tables"),
        ("a 🚀", "emoji"),
        ("cafe\u0301", "characters that are not composed (NFC)"),
    ],
)
def test_each_trait_is_found(text: str, label: str) -> None:
    assert labels([text], ["ab"]) == [label]


def test_most_uneven_trait_comes_first_with_its_shares() -> None:
    one = ["a…"] * 10
    other = ["a…"] * 5 + ["a—"] * 2 + ["a"] * 3
    found = [(row.label, row.shares) for row in uneven_traits([one, other])]
    assert found == [("ellipses …", (1.0, 0.5)), ("dashes — or –", (0.0, 0.2))]


def test_a_tenth_is_no_difference_and_a_method_without_texts_has_no_say() -> None:
    assert labels(["a…"] + ["a"] * 9, ["a"] * 10, []) == []
    assert labels([], ["a…"]) == []
    assert labels() == []


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("return x -- 1", "return x—1", ("return x -- 1", "return x—1")),
        ("می\u200cخواهم", "میخواهم", ("می‹U+200C›خواهم", "میخواهم")),
        ("a\r\n", "a\n", ("a␍⏎", "a⏎")),
        ("x" * 100 + " ", "x" * 100, ("x" * 24 + " ", "x" * 24)),
    ],
)
def test_change_is_shown_where_it_begins(before: str, after: str, shown: tuple[str, str]) -> None:
    assert first_change(before, after) == shown
