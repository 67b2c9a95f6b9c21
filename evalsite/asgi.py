"""What the one ASGI process serves: the events of live conversations. All else of the site is evalsite.wsgi's."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

from evalsite import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalsite.settings")
embedded.start()
application = get_asgi_application()
