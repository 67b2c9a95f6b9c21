"""What is wrong with a file is told to the last mark in the language of who reads it."""

from __future__ import annotations

import pytest
from django.utils import translation

from generation.files.problems import FileRefused, Problems, listed_shortly

TOLD = {
    "en": (
        "people.csv, line 7, email: is no address",
        "people.csv: is empty",
        "… and 2 more problems",
        "a, b, …",
    ),
    "zh-hans": (
        "people.csv，第 7 行，email：is no address",
        "people.csv：is empty",
        "… 另有 2 个问题",
        "a、b、…",
    ),
}


@pytest.mark.parametrize("language", TOLD)
def test_problems_are_told_in_the_language_of_the_reader(language: str) -> None:
    with translation.override(language):
        problems, many = Problems("people.csv"), Problems("people.csv")
        problems.add(0, "", "is empty")
        problems.add(7, "email", "is no address")
        for number in range(1, 103):
            many.add(number, f"field {number}", "is wrong")
        line, whole, more, names = TOLD[language]
        assert str(FileRefused(problems)) == f"{whole}\n{line}"
        assert str(FileRefused(many)).splitlines()[-1] == more
        assert listed_shortly(["a", "b", "c"], 2) == names
