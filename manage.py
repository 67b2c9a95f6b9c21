#!/usr/bin/env python
"""Run a management command; the embedded servers are started for those that may need them."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

from evalsite import embedded

# These read or write files only, or (demo, embedded) decide about the servers themselves.
WITHOUT_SERVERS = {
    "check", "collectstatic", "compilemessages", "demo", "diffsettings", "embedded", "findstatic",
    "help", "makemessages", "prepare_corpus", "self_train", "startapp", "startproject", "train_language_model",
    "version",
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
    if needs_servers(sys.argv[1:]):
        try:
            embedded.start()
        except embedded.EmbeddedError as error:
            sys.exit(f"The embedded servers cannot be used: {error}")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
