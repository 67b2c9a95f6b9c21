"""What a process computes until it has started, against a bare `django.setup()` with empty settings, in the same run.

The frame is what the site stands on, with addresses and tables of its own: Django's applications and those of others
that the settings name, and for the check DRF's views. No site of these applications starts sooner.

The last line is a whole poem by `compose` from a cold start, told against a bare `import torch` too.

    python -m benchmarks.evalsite.start_up [ROUNDS]

Every start is a process of its own, and the kinds take turns; printed are medians of the seconds of CPU time that the
processes took themselves, which other work on the machine disturbs less than the time by the clock. Byte code is
kept, as it is on a site, whatever the environment says.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

from evalsite import settings as site

OWN = ("evalsite", "annotations", "generation", "turing")
ROOT = Path(__file__).resolve().parents[2]
BARE = "from django.conf import settings; settings.configure(); import django; django.setup()"
SITE = "import django; django.setup(); "
# What the admin asks for.
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "axes.middleware.AxesMiddleware",
]
PROCESSORS = [
    f"django.{name}"
    for name in (
        "template.context_processors.request",
        "contrib.auth.context_processors.auth",
        "contrib.messages.context_processors.messages",
    )
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": PROCESSORS},
    }
]
FRAME = (
    "from django.conf import settings; settings.configure("
    f"INSTALLED_APPS={[app for app in site.INSTALLED_APPS if app not in OWN]!r},"
    f"MIDDLEWARE={MIDDLEWARE!r}, TEMPLATES={TEMPLATES!r}, AUTHENTICATION_BACKENDS={site.AUTHENTICATION_BACKENDS!r},"
    "DATABASES={'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': 'frame'}},"
    "ROOT_URLCONF='django.contrib.auth.urls', SECRET_KEY='frame'); import django; django.setup(); "
)
CHECK = "from django.core.management import call_command; call_command('check')"
WEB = "from django.urls import get_resolver; get_resolver().url_patterns"
STARTS = {
    "bare django.setup()": BARE,
    "site's django.setup()": SITE,
    "manage.py check": SITE + CHECK,
    "check of the frame": FRAME + "import rest_framework.serializers, rest_framework.views; " + CHECK,
    "web worker": SITE + WEB,
    "web worker of the frame": FRAME + WEB,
    "compose": SITE + "import generation.management.commands.compose",
    "import torch": "import torch",
    "a poem by compose": SITE
    + "from django.core.management import call_command; call_command('compose', title='秋夜', form='jueju5')",
}


def start(code: str) -> float:
    """Return the seconds of CPU time of a process that runs the code and ends."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        check=True,
        capture_output=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "evalsite.settings", "PYTHONDONTWRITEBYTECODE": ""},
    )
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    if rounds > 1:
        for code in STARTS.values():
            start(code)  # the first start reads files that later ones find in memory
    taken: dict[str, list[float]] = {name: [] for name in STARTS}
    for _ in range(rounds):
        for name, code in STARTS.items():
            taken[name].append(start(code))
    bare = statistics.median(taken["bare django.setup()"])
    for name, seconds in taken.items():
        median = statistics.median(seconds)
        print(f"{name:<24} {median:6.2f} s  {median / bare:5.1f} x")
    torch = statistics.median(taken["import torch"])
    print(
        f"a poem by compose, of import torch: {statistics.median(taken['a poem by compose']) / torch:.2f} x"
    )


if __name__ == "__main__":
    main()
