"""Errors are marked in each text, with a category and a severity; whoever has marked all may then rate the text.

A criterion of such a study is either rated, as that from 0 to 100 of ESA, or reckoned from the marks: the penalty of a
text is the sum over its errors, as MQM counts.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from annotations.protocols.protocol import Protocol

PENALTY, PENALTY_PER_100 = "penalty", "penalty_per_100"

SPANS = Protocol(
    key="spans",
    label=_("error spans: errors are marked in each text"),
    methods_text=_(
        "Evaluators marked the errors in each text, with a category and a severity, and said when they had marked all."
        " The penalty of a text is the sum of the penalties of its errors; per 100 characters it is divided by the"
        " length of the text. Other criteria were rated after the errors of a text were marked."
    ),
    marks_errors=True,
    derives={
        PENALTY: _("the penalty of the errors marked in a text"),
        PENALTY_PER_100: _("the penalty of the errors per 100 characters of a text"),
    },
)
