"""What happens on a page beside its answers: that it was left, or something pasted there; for people to look at."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import connection
from django.utils.translation import gettext as _

from annotations.models import PageEvent
from annotations.questionnaire.saving import MAX_CLIENT_ORDER, PageAddress
from generation.refusals import Refused

# More of a kind on one page say nothing that these do not.
MOST_EVENTS = 50
LONGEST_SECONDS = 30 * 24 * 3600

# One statement: it looks the page up among the evaluator's own and keeps the event where the study notes them and takes
# answers. The same event sent again changes nothing.
SAVE = """
INSERT INTO annotations_pageevent (enrolment_id, page_id, kind, client_order, seconds, happened_at)
SELECT enrolment.id, page.id, %(kind)s, %(order)s, %(seconds)s, now()
FROM annotations_study study
JOIN annotations_enrolment enrolment ON enrolment.study_id = study.id AND enrolment.evaluator_id = %(evaluator)s
JOIN annotations_qualitycontrol control ON control.study_id = study.id AND control.has_flags
JOIN annotations_subtask subtask ON subtask.study_id = study.id AND subtask.number = %(subtask)s
JOIN annotations_page page ON page.subtask_id = subtask.id AND page.number = %(page)s AND page.role <> 'training'
WHERE study.slug = %(slug)s AND study.state = 'open' AND enrolment.deadline > now()
  AND enrolment.source = 'questionnaire' AND enrolment.withdrawn_at IS NULL
  AND EXISTS (SELECT FROM annotations_placement WHERE enrolment_id = enrolment.id AND page_id = page.id)
  AND %(most)s > (SELECT count(*) FROM annotations_pageevent known
      WHERE known.enrolment_id = enrolment.id AND known.page_id = page.id AND known.kind = %(kind)s)
ON CONFLICT (enrolment_id, page_id, kind, client_order) DO NOTHING
"""


@dataclass(frozen=True)
class SentEvent:
    """An event as the browser sends it; `order` tells two of them apart, `seconds` is how long the page was left."""

    kind: PageEvent.Kind
    order: int
    seconds: float | None = None


class BadEvent(Refused):
    """What was sent is no event."""


def parse_event(body: bytes) -> SentEvent:
    """Return the event in the JSON of a request; raise `BadEvent`."""
    try:
        sent = json.loads(body)
        kind, order, seconds = PageEvent.Kind(sent["kind"]), sent["order"], sent.get("seconds")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadEvent(_("This is no event of a page.")) from error
    is_order = isinstance(order, int) and not isinstance(order, bool) and 0 <= order <= MAX_CLIENT_ORDER
    is_time = isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds >= 0
    if (
        not is_order
        or (kind == PageEvent.Kind.LEFT) != (seconds is not None)
        or not (is_time or seconds is None)
    ):
        raise BadEvent(_("This is no event of a page."))
    return SentEvent(kind, order, None if seconds is None else float(min(seconds, LONGEST_SECONDS)))


def save_event(evaluator: User, address: PageAddress, event: SentEvent) -> None:
    """Keep an event, with one query; nothing where the study notes none, or the page is not the evaluator's."""
    with connection.cursor() as cursor:
        cursor.execute(SAVE, {**vars(address), **vars(event), "evaluator": evaluator.pk, "most": MOST_EVENTS})
