"""What somebody who joins or leaves a study may send."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from annotations.models import Study
from annotations.recruiting.consent import (
    LARGEST_NUMBER,
    LONGEST_ANSWER,
    BadAnswers,
    label_of,
    parse_answers,
)
from annotations.recruiting.joining import Who
from annotations.recruiting.panel import External
from generation.web.once import NonceForm

EXTERNAL_ID = re.compile(r"[A-Za-z0-9_.@-]{1,100}")
# What panels call the id and the session: Prolific, and Mechanical Turk.
IDS = ("PROLIFIC_PID", "workerId")
SESSIONS = ("SESSION_ID", "assignmentId")
# What Mechanical Turk says in place of a session to whoever only looks at the task.
NOT_ACCEPTED = "ASSIGNMENT_ID_NOT_AVAILABLE"
SIGNATURE = "signature"


def external_of(query: QueryDict) -> External:
    """Return who the address says that a visitor is.

    Spaces around a value are no part of it; what no panel would send, such as a placeholder that it did not fill,
    counts as nothing, and does not make another value nothing.
    """

    def value(*names: str) -> str:
        sent = (query.get(name, "").strip() for name in names)
        return next((one for one in sent if EXTERNAL_ID.fullmatch(one) and one != NOT_ACCEPTED), "")

    # A signature that is damaged is still one that is sent, and refused.
    return External(value(*IDS), value(*SESSIONS), query.get(SIGNATURE, "").strip()[:100])


class JoinForm(NonceForm):
    """The press by which somebody comes in, and as whom where an account is logged in."""

    who = forms.ChoiceField(choices=[(who.value, who.name) for who in Who], required=False)

    def chosen(self) -> dict[str, Any]:
        """Return what `join` is to be told; a choice that there is not counts as none."""
        self.is_valid()
        who = self.cleaned_data.get("who")
        return {"who": Who(who) if who else None, "nonce": self.sent_nonce()}


class ConsentForm(forms.Form):
    """The agreement to take part, with the study's short form."""

    def __init__(self, study: Study, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.study = study
        for question in study.questions:
            self.fields[question["key"]] = field_of(question)
        if study.consent:
            # No key of a question holds a capital.
            self.fields["AGREED"] = forms.BooleanField(
                label=_("I have read this and agree to take part"),
                error_messages={
                    "required": _("Agree to take part, or leave this page: nothing is stored then.")
                },
            )

    def clean(self) -> dict[str, Any]:
        """Parse the answers by the one rule of `annotations.recruiting.consent`."""
        cleaned = super().clean() or {}
        try:
            cleaned["answers"] = parse_answers(self.study.questions, self.data)
        except BadAnswers as bad:
            for key, messages in bad.fields.items():
                self.add_error(key, list(messages))
        return cleaned


def field_of(question: dict[str, Any]) -> forms.Field:
    """Return the field of a question. What may be answered is for `parse_answers` to say."""
    label = label_of(question)
    if not question["is_required"]:
        label = _("%(question)s (optional)") % {"question": label}
    if question["kind"] == "choice":
        choices = [(choice, choice) for choice in question["choices"]]
        if not question["is_required"]:
            choices.insert(0, ("", _("no answer")))
        field: forms.Field = forms.CharField(
            label=label, required=False, widget=forms.RadioSelect(choices=choices)
        )
    elif question["kind"] == "number":
        number = forms.NumberInput(attrs={"min": 0, "max": LARGEST_NUMBER, "step": 1, "inputmode": "numeric"})
        field = forms.CharField(label=label, required=False, widget=number)
    else:
        field = forms.CharField(
            label=label, required=False, widget=forms.TextInput(attrs={"maxlength": LONGEST_ANSWER})
        )
    return field


class WithdrawForm(forms.Form):
    """The confirmation that somebody means to leave a study."""

    is_meant = forms.BooleanField(
        label=_("Remove my answers. I know that this cannot be undone."),
        error_messages={"required": _("Tick the box to withdraw, or go back to the study.")},
    )
