"""Django's PostgreSQL, whose kept connections are looked at before use without a question to the server."""

from __future__ import annotations

import select
import sys

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that a server has closed can be read from, and one that waits for a statement cannot."""

    def is_usable(self) -> bool:
        """Return whether the connection can be used; the server is asked where it has sent something, or failed."""
        if self.connection is None or self.errors_occurred or sys.platform == "win32":
            return super().is_usable()
        waiting = select.poll()
        waiting.register(self.connection.fileno(), select.POLLIN)
        return not waiting.poll(0) or super().is_usable()
