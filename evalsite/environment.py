"""What the environment says, read strictly: a value that cannot be is refused by the name of its variable."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from evalsite import embedded


def env_choice(name: str, choices: tuple[str, ...]) -> str:
    """Return the variable, one of `choices`; the first is the default."""
    value = os.environ.get(name, choices[0])
    if value not in choices:
        raise ImproperlyConfigured(f"{name}={value!r}: must be one of {', '.join(choices)}")
    return value


def env_bool(name: str, *, default: bool) -> bool:
    """Return the variable as a yes or no; anything but 0 and 1 is refused."""
    value = os.environ.get(name, "1" if default else "0")
    if value not in ("0", "1"):
        raise ImproperlyConfigured(f"{name}={value!r}: must be 0 or 1")
    return value == "1"


def env_int(name: str, *, default: int) -> int:
    """Return the variable as a whole number that is not negative."""
    value = os.environ.get(name, str(default))
    if not value.isdecimal():
        raise ImproperlyConfigured(f"{name}={value!r}: must be a whole number")
    return int(value)


def env_list(name: str, *, default: list[str]) -> list[str]:
    """Return the comma-separated variable as a list."""
    value = os.environ.get(name)
    return default if value is None else [part.strip() for part in value.split(",") if part.strip()]


def secret_key(*, production: bool) -> str:
    """Return SECRET_KEY, or on a machine of one's own a key made once and kept in a private file."""
    if given := os.environ.get("SECRET_KEY"):
        return given
    if production:
        raise ImproperlyConfigured("SECRET_KEY: must be set when EVALSITE_ENV=production")
    path = embedded.home() / "secret_key"
    try:
        return path.read_text() if path.exists() else make_secret_key(path)
    except OSError as error:
        raise ImproperlyConfigured(
            f"EVALSITE_HOME={path.parent}: {error.strerror}: {error.filename}"
        ) from error


def make_secret_key(path: Path) -> str:
    """Make a key, keep it in a private file, and return it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"secret_key.{os.getpid()}")
    try:
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(64))
        # Two first starts at once: the link of one of them wins, and both read that key.
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return path.read_text()
