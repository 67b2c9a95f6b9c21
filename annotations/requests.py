"""The request of somebody who is logged in."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import HttpRequest


class UserRequest(HttpRequest):
    """A request behind the log-in, which every page here is by the site's default."""

    user: User
