"""What gunicorn reads by itself where it is started in this folder; its command line overrides it.

Threads, because a save waits for the disk; two processes where there are two cores, since one computes on one core
(`WEB_CONCURRENCY` sets another number; `benchmarks/annotations/questionnaire_speed.py` measures them). The site is
loaded before they part, so that the first request to each is no slower than the next. The access log names visitors,
not proxies.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger


class VisitorLogger(Logger):  # type: ignore[misc]
    """A log whose remote address (`h`) is that of the visitor, by the rule of allowances and log-ins."""

    def atoms(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> dict[str, Any]:
        # Django's settings are read in the web processes, after this file.
        from generation.web.addresses import address_in

        return {**super().atoms(resp, req, environ, request_time), "h": address_in(environ) or "-"}


logger_class = VisitorLogger
worker_class = "gthread"
threads = 8
workers = int(os.environ.get("WEB_CONCURRENCY", min(2, os.cpu_count() or 1)))
keepalive = 15
preload_app = True
