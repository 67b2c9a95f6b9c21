"""Make a token of the API for a user."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from evalsite.accounts.tokens import make_token, take_back_token
from generation.management.act_command import ActCommand


class Command(ActCommand):
    help = (
        "Print a new token of the API for a user, once; the one before is void. --delete only takes it back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--delete", action="store_true", help="make the user's token void")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"{options['username']}: no such user")
        if not user.is_active:
            raise CommandError(f"{user}: this account is not active")
        if not options["delete"]:
            self.stdout.write(make_token(user))
        elif not take_back_token(user):
            raise CommandError(f"{user}: has no token")
