"""Handle the embedded PostgreSQL and Valkey by hand."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from evalsite import embedded


class Command(BaseCommand):
    help = "Start or stop the embedded PostgreSQL and Valkey, or tell how they are."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["start", "stop", "status"])

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        try:
            getattr(self, action)()
        except embedded.EmbeddedError as error:
            raise CommandError(str(error)) from error

    def start(self) -> None:
        begun = embedded.start()
        for server in self._servers():
            self.stdout.write(f"{server.label} {'started' if server.label in begun else 'runs already'}")

    def stop(self) -> None:
        ended = embedded.stop()
        for server in self._servers():
            self.stdout.write(f"{server.label} {'stopped' if server.label in ended else 'did not run'}")

    def status(self) -> None:
        """Tell how the servers are; exit with 1 unless all answer, for scripts."""
        servers = self._servers()
        for server in servers:
            how = "answers" if server.answers else "does not answer" if server.pid else "does not run"
            who = f" (process {server.pid})" if server.pid else ""
            self.stdout.write(f"{server.label} {how}{who}, socket {server.socket}")
        if not all(server.answers for server in servers):
            raise SystemExit(1)

    def _servers(self) -> list[embedded.Status]:
        """Return the servers; where addresses are set there are none, and that is said."""
        servers = embedded.status()
        if not servers:
            self.stdout.write("DATABASE_URL and CELERY_BROKER_URL are set: nothing is embedded")
        return servers
