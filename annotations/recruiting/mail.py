"""Mail to evaluators, through Django's mail; a site without a mail server sends none and says so."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string
from django.utils.translation import override

from annotations.models import Study

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Letter:
    """One mail to one person."""

    to: str
    subject: str
    body: str


def can_mail() -> bool:
    """Whether the site knows a mail server."""
    return bool(settings.EMAIL_HOST)


def write_letter(template: str, to: str, study: Study, context: dict[str, Any]) -> Letter:
    """Return a letter about a study in the languages of its pages, those that it has a title in first.

    The first line of the template (`annotations/mail/`) is the subject.
    """
    subjects, parts = [], []
    for language in sorted(study.interface_languages, key=lambda code: code not in study.title):
        with override(language):
            text = render_to_string(
                f"annotations/mail/{template}.txt", {**context, "title": " ".join(str(study.title).split())}
            )
        subject, _newline, part = text.strip().partition("\n")
        subjects.append(subject)
        parts.append(part)
    return Letter(to, subjects[0], "\n\n---\n\n".join(parts) + "\n")


def send_letters(letters: Sequence[Letter]) -> list[bool]:
    """Send letters by one connection, slowly, and return of each whether the mail server took it.

    To be called outside of transactions. What went wrong is logged without the letter, which may hold a link.
    """
    if not letters or not can_mail():
        return [False] * len(letters)
    connection = get_connection()
    try:
        connection.open()
    except (OSError, SMTPException) as error:
        logger.warning("The mail server cannot be reached: %s", error)
        return [False] * len(letters)
    sent = []
    try:
        for letter in letters:
            # A line break in a title must not become a header.
            subject = " ".join(letter.subject.split())
            message = EmailMessage(subject, letter.body, to=[letter.to], connection=connection)
            try:
                sent.append(message.send() == 1)
            except (OSError, SMTPException) as error:
                logger.warning("A letter could not be sent: %s", type(error).__name__)
                sent.append(False)
    finally:
        connection.close()
    return sent
