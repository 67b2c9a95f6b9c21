"""Sharing the report of a closed study by a link that only lets it be read, for a time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from annotations.access.log import log_act
from annotations.models import ReportLink, StaffAct, Study
from annotations.models.bounds import check_number
from annotations.recruiting.tokens import TOKEN, NewToken, token_digest, token_from
from generation.refusals import Refused
from generation.web.once import new_nonce
from generation.web.quotas import Limit, take

if TYPE_CHECKING:
    from stats.reports.document import Document

MOST_DAYS = 3650
# The studies of the demonstration with a report; the later is shown first where there is one.
FINISHED, PUBLISHED = "finished-study", "published-poems"
KEPT_SECONDS = 7 * 24 * 3600
# Of which the first computes the report.
READINGS = Limit("readings of a report by a link", 600)


def token_of(study: Study | int, nonce: str) -> NewToken:
    """Return the token that the nonce of a report link stands for."""
    return token_from(nonce, f"report of {study if isinstance(study, int) else study.pk}")


def address_of(link: ReportLink, site: str = "") -> str:
    """Return the whole address of a link, on `site` or the one in the settings; nothing after a new secret key."""
    token = token_of(link.study_id, link.nonce)
    if token.digest != link.token_hash:
        return ""
    return urljoin(site or settings.SITE_URL, reverse("annotations:shared_report", args=[token.text]))


@transaction.atomic
def share_report(study: Study, *, days: int, by: User | None, nonce: str = "") -> ReportLink:
    """Make a link by which anybody reads the report for so many days, and log it; the same nonce makes it once.

    Raises `Refused` for a study that is not closed, ValidationError for a number of days that no link may have.
    """
    check_number("days", days, most=MOST_DAYS)
    study = Study.objects.locked(study)
    if study.state != Study.State.CLOSED:
        raise Refused(_("A report can be shared once its study is closed."))
    nonce = nonce or new_nonce()
    token = token_of(study, nonce)
    if before := ReportLink.objects.filter(token_hash=token.digest).first():
        return before
    link = ReportLink.objects.create(
        study=study,
        nonce=nonce,
        token_hash=token.digest,
        made_by=by,
        expires_at=Now() + timedelta(days=days),
    )
    log_act(study, by, "report.shared", link=str(link.uuid), days=days)
    return link


@transaction.atomic
def end_report_link(link: ReportLink, *, by: User | None) -> bool:
    """Let a link open nothing any more, log it, and return whether this call did so."""
    ended = ReportLink.objects.filter(pk=link.pk, ended_at=None).update(ended_at=Now()) == 1
    if ended:
        log_act(link.study, by, "report.unshared", link=str(link.uuid))
    return ended


def link_opened(token: str) -> ReportLink | None:
    """Return the link of a token with its study, and note that it was opened; None where it opens nothing.

    Raises `TooMany` where it is opened too often.
    """
    if not TOKEN.fullmatch(token):
        return None
    link = ReportLink.objects.good().select_related("study").filter(token_hash=token_digest(token)).first()
    if link:
        take(READINGS, link.token_hash)
        ReportLink.objects.filter(pk=link.pk).update(opened_at=Now())
    return link


def document_of(link: ReportLink) -> Document:
    """Return the report of a link's study in the active language; it is made again when anything was done to the study.

    Every act on a closed study is logged, a withdrawal and a new label of a method too.
    """
    from annotations.results.document import report_document
    from annotations.results.report import study_report

    act = StaffAct.objects.filter(study=link.study_id).aggregate(latest=Max("pk"))["latest"]
    key = f"report-{settings.VERSION}-{link.study_id}-{act}-{get_language()}"
    kept: Document | None = cache.get(key)
    document = kept or report_document(study_report(link.study))
    if kept is None:
        cache.set(key, document, KEPT_SECONDS)
    return document


def example_address() -> str:
    """Return the path of a report that anybody may look at as an example; nothing where none is shared."""
    for slug in (PUBLISHED, FINISHED):
        link = ReportLink.objects.good().filter(study__slug=slug).first()
        if link and (address := address_of(link, "/")):
            return address
    return ""


def links_shown(study: Study, user: User, site: str) -> list[tuple[ReportLink, str]]:
    """Return the links that still open a report, each with its address where this user made it; one query."""
    links = ReportLink.objects.good().filter(study=study).select_related("made_by")
    return [(link, address_of(link, site) if link.made_by_id == user.pk else "") for link in links]
