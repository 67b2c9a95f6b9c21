#!/usr/bin/env python
"""Run a management command; the embedded servers are started for those that may need them."""

from __future__ import annotations

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import ProgrammingError

from evalsite import embedded
from evalsite.first_use import missing_migrations, prepare_tables

# These read or write files only, or (demo, embedded) decide about the servers themselves.
WITHOUT_SERVERS = {
    "check", "collectstatic", "compilemessages", "compose", "demo", "diffsettings", "embedded", "findstatic",
    "help", "makemessages", "prepare_corpus", "prepare_english_model", "self_train", "startapp",
    "startproject", "train_language_model", "version",
}  # fmt: skip


def needs_servers(arguments: list[str]) -> bool:
    """Whether the command may open the database or the broker."""
    command = arguments[0] if arguments else "help"
    return (
        not command.startswith("-") and command not in WITHOUT_SERVERS and not {"-h", "--help"} & {*arguments}
    )


def main() -> None:
    """Start what the command needs, then run it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalsite.settings")
    try:
        if needs_servers(sys.argv[1:]):
            embedded.start()
            prepare_tables(sys.argv[1])
        execute_from_command_line(sys.argv)
    except embedded.EmbeddedError as error:
        sys.exit(f"The embedded servers cannot be used: {error}")
    except ImproperlyConfigured as error:
        sys.exit(f"The settings cannot be used: {error}")
    except ProgrammingError:
        if missing_migrations():
            sys.exit(
                f"The tables of the database are not those of this version: run {sys.argv[0]} migrate first"
            )
        raise


if __name__ == "__main__":
    main()
