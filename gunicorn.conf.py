"""What gunicorn reads by itself where it is started in this folder: the access log names visitors, not proxies."""

from __future__ import annotations

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
