"""Statements about each text, of its prompt or of the study, are answered with yes, no or does not apply.

The score of a text is the weighted share of yes among the statements that apply, from 0 to 100.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from annotations.protocols.protocol import AnswerToTexts, Protocol

CHECKLIST = Protocol(
    key="checklist",
    label=_("checklist: statements that hold of a text or do not"),
    methods_text=_(
        "Evaluators said of each statement of a checklist whether it holds of a text, does not, or does not apply. The"
        " score of a text is the weighted share of yes among the statements that apply, from 0 to 100."
    ),
    texts=AnswerToTexts(
        keys=(("1 2 3", _("yes, no or does not apply, and go on to the next statement")),),
        scale=(0, 100, False),
        asked="""texts.number * (
            SELECT count(*) FROM annotations_checklistitem item
            WHERE item.study_id = study.id AND (item.page_id IS NULL OR item.page_id = sums.page_id))""",
        given="""
            SELECT count(*) AS answers, min(answer.saved_at) AS first_at, max(answer.saved_at) AS last_at
            FROM annotations_placement placement
            JOIN annotations_checklistanswer answer USING (enrolment_id, candidate_id)
            WHERE placement.enrolment_id = sums.enrolment_id AND placement.page_id = sums.page_id""",
    ),
)
