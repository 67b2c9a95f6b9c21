"""What a WSGI server serves."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.template.loader import get_template
from django.urls import get_resolver
from django.utils import translation

from evalsite import embedded


def warm_up() -> None:
    """Load what the first request would load: it would take seconds in each process. Asks no server for anything."""
    _ = get_resolver().url_patterns
    get_template("annotations/questionnaire/page.html")
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            translation.gettext("Studies")


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalsite.settings")
embedded.start()
application = get_wsgi_application()
warm_up()
