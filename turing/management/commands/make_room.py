"""Open a room of the game, and print its address."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from generation.management.act_command import ActCommand
from turing.models import Genre, Kind
from turing.pairs.files import import_pairs
from turing.rooms.rooms import open_room


class Command(ActCommand):
    help = "Open a room of the game: a link for a class, a laboratory or a conference, with its own pool and results."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--kind", choices=Kind.values, default=Kind.PAIRS)
        parser.add_argument("--genre", choices=Genre.values, default=Genre.POEM)
        parser.add_argument(
            "--pairs", type=int, default=100, help="so many of those in play, drawn at random (100)"
        )
        parser.add_argument(
            "--file", type=Path, help="only the pairs of this file, which are then in no other draw"
        )
        parser.add_argument("--names", action="store_true", help="players may say what they are called")
        parser.add_argument("--closes", metavar="TIME", help="in ISO 8601, such as 2026-12-24T18:00")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        only = import_pairs(options["file"]).pairs if options["file"] else []
        if options["file"] and not only:
            raise CommandError(f"{options['file']}: has no pairs that are not there already")
        room = open_room(
            options["name"],
            options["kind"],
            options["genre"],
            pairs=options["pairs"],
            only=only,
            takes_names=options["names"],
            closes_at=self.time_of(options["closes"]),
        )
        self.stdout.write(reverse("turing:room", args=[room.uuid]))

    def time_of(self, text: str | None) -> datetime | None:
        """Return a time by the site's clock unless it names another zone."""
        if not text:
            return None
        try:
            time = datetime.fromisoformat(text)
        except ValueError as error:
            raise CommandError(f"--closes {text}: is no time in ISO 8601") from error
        return time if timezone.is_aware(time) else timezone.make_aware(time)
