"""What a command or a web process must not load before it is used: each takes a good part of a second."""

from __future__ import annotations

import subprocess
import sys

import pytest

from evalsite.embedded.layout import BASE_DIR

HEAVY = {
    "matplotlib", "matplotlib.figure", "numpy", "opencc", "pandas", "pyarrow", "scipy", "statsmodels", "stats.analysis",
    "torch", "transformers", "typst", "xlsxwriter", "django.test", "jinja2", "rest_framework.test",
    "drf_spectacular.generators", "drf_spectacular.openapi", "drf_spectacular.plumbing", "drf_spectacular.views",
}  # fmt: skip
COMMAND = "from django.core.management import execute_from_command_line as run; run(['manage.py', *{words}])"
WEB = "import django; django.setup(); from django.urls import get_resolver; get_resolver().url_patterns"


def loaded_by(code: str) -> set[str]:
    """Return the modules that a process has loaded when it has run the code."""
    prelude = "import os, sys; os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'evalsite.settings')"
    end = "print('LOADED', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", f"{prelude}\ntry:\n    {code}\nexcept SystemExit: pass\n{end}"],
        cwd=BASE_DIR, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(done.stdout.rpartition("LOADED ")[2].split())


@pytest.mark.parametrize(
    "code",
    [
        COMMAND.format(words=["help"]),
        COMMAND.format(words=["check"]),
        COMMAND.format(words=["compose", "--help"]),
        "import generation.management.commands.compose",
        WEB,
    ],
    ids=["help", "check", "compose --help", "compose", "web worker"],
)
def test_start_loads_nothing_heavy_that_it_does_not_use(code: str) -> None:
    if code.startswith("import generation"):
        code = f"import django; django.setup(); {code}"
    loaded = loaded_by(code)
    assert "django" in loaded
    assert sorted(HEAVY & loaded) == []


def test_web_worker_loads_the_api_and_what_single_pages_need_when_they_are_first_called() -> None:
    loaded = loaded_by(WEB)
    for_some_pages = {"segno", "stats.reports.study_report"}
    assert (
        sorted({"celery", "evalsite.api_urls", "requests", "rest_framework.views", *for_some_pages} & loaded)
        == []
    )
    assert "evalsite.api_urls" in loaded_by(
        f"{WEB}; from django.urls import resolve; resolve('/api/v1/studies/')"
    )
