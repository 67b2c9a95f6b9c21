"""Telling whoever asked for a job by mail that it has ended: once, if they want that."""

from __future__ import annotations

from urllib.parse import urljoin

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from annotations.jobs.wording import file_words
from annotations.models import Job
from annotations.recruiting.mail import Letter, can_mail, send_letters
from generation.refusals import Refused


def set_tell(job: Job, *, by: User, tell: bool) -> None:
    """Have a letter sent when a job of one's own has ended, or none; raise `Refused` where none could be."""
    if job.owner_id != by.pk:
        raise Refused(_("Only whoever asked for it can be told by mail."))
    if tell and not can_mail():
        raise Refused(_("The site has no mail server, so nobody can be told by mail."))
    if tell and not by.email:
        raise Refused(_("Your account has no e-mail address."))
    if not Job.objects.open().filter(pk=job.pk).update(tell=tell):
        raise Refused(_("It has ended already."))
    job.tell = tell


def tell_owners() -> int:
    """Write to all whose jobs have ended and who are not told yet; return how many letters the mail server took.

    To be called outside of transactions. Each letter is claimed by its row before it goes out, so that two workers
    send one; where the mail server refused it is tried again later.
    """
    if not can_mail():
        return 0
    sent = 0
    for job in Job.objects.to_be_told().select_related("owner", "study", "made"):
        if not Job.objects.to_be_told().filter(pk=job.pk).update(told_at=Now()):
            continue
        if send_letters([letter_of(job)]) == [True]:
            sent += 1
        else:
            Job.objects.filter(pk=job.pk).update(told_at=None)
    return sent


def letter_of(job: Job) -> Letter:
    """Return the letter about a job that has ended, in the language in which it was asked for.

    It has nothing of the results: its link leads to the page of the job, which asks for the log-in and the right.
    """
    with override(job.language):
        context = {
            "what": file_words(job),
            "study": " ".join(str(job.study.title).split()) if job.study else "",
            "is_done": job.state == Job.State.DONE,
            "address": urljoin(settings.SITE_URL, job.get_absolute_url()),
        }
        subject, _newline, body = (
            render_to_string("annotations/mail/job.txt", context).strip().partition("\n")
        )
    return Letter(job.owner.email, subject, body)
