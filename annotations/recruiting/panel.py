"""Who a visitor is to the panel that sent them, and how the panel's own server can prove it.

A panel that can compute adds `signature` to the address: the HMAC-SHA256 of the id with the study's secret, in
hexadecimal digits. An id alone can be known to others: it lets somebody new in, and leads to nobody's answers.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from django.utils.crypto import constant_time_compare, salted_hmac

from annotations.models import Enrolment, Study
from annotations.models.protocols import WITH_HISTORY


@dataclass(frozen=True)
class External:
    """Who a visitor is to the panel that sent them, as the address says it."""

    id: str = ""
    session: str = ""
    signature: str = ""


NOBODY = External()


def panel_secret(study: Study) -> str:
    """Return the secret by which a panel signs the ids of a study; it is stored nowhere."""
    return salted_hmac("annotations.recruiting.panel", str(study.pk), algorithm="sha256").hexdigest()


def signature_of(study: Study, external_id: str) -> str:
    """Return what a panel puts behind an id.

    >>> from annotations.models import Study
    >>> len(signature_of(Study(pk=1), "5f00"))
    64
    """
    return hmac.new(panel_secret(study).encode(), external_id.encode(), hashlib.sha256).hexdigest()


def is_signed(study: Study, external: External) -> bool:
    """Whether the panel itself has said who the visitor is."""
    return constant_time_compare(external.signature.lower(), signature_of(study, external.id))


def needs_proof(enrolment: Enrolment) -> bool:
    """Whether somebody has left something that an id alone must not lead to: answers, a form, a token of the API."""
    own = {"enrolment": enrolment}
    return (
        bool(enrolment.form_answers)
        or hasattr(enrolment.evaluator, "api_token")
        or any(model._default_manager.filter(**own).exists() for model in WITH_HISTORY)
    )
