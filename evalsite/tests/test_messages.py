from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest
from django.conf import settings

CATALOGUE = Path(settings.BASE_DIR) / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
SOURCES = ["annotations", "evalsite", "generation", "stats", "turing"]


def messages(catalogue: polib.POFile | polib.MOFile) -> dict[tuple[str | None, str], list[str]]:
    """Return the translations by context and English text."""
    return {
        (entry.msgctxt, entry.msgid): list(entry.msgstr_plural.values()) or [entry.msgstr]
        for entry in catalogue
        if not entry.obsolete
    }


def test_every_message_is_translated_and_none_is_a_guess() -> None:
    catalogue = polib.pofile(str(CATALOGUE))
    assert [entry.msgid for entry in catalogue.untranslated_entries()] == []
    assert [entry.msgid for entry in catalogue if entry.fuzzy] == []


def test_translations_keep_the_placeholders() -> None:
    names = re.compile(r"%\(\w+\)[sd]|\{\w+\}")
    different = [
        entry.msgid
        for entry in polib.pofile(str(CATALOGUE))
        for chinese in list(entry.msgstr_plural.values()) or [entry.msgstr]
        if sorted(names.findall(entry.msgid_plural or entry.msgid)) != sorted(names.findall(chinese))
    ]
    assert different == []


def test_the_compiled_catalogue_is_up_to_date() -> None:
    compiled = polib.mofile(str(CATALOGUE.with_suffix(".mo")))
    assert messages(compiled) == messages(polib.pofile(str(CATALOGUE)))


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="no xgettext found: install the package gettext")
def test_the_catalogue_has_the_messages_of_the_sources_and_no_others(tmp_path: Path) -> None:
    for name in SOURCES:
        source = Path(settings.BASE_DIR) / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("test*", "__pycache__"))
    # Without settings the command knows no other catalogue than the one in its folder.
    (tmp_path / "locale").mkdir()
    environment = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "--locale=zh_Hans"],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
    )
    collected = polib.pofile(str(tmp_path / CATALOGUE.relative_to(settings.BASE_DIR)))
    assert messages(collected).keys() == messages(polib.pofile(str(CATALOGUE))).keys()
