"""What a WSGI server serves."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from evalsite import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalsite.settings")
embedded.start()
application = get_wsgi_application()
