"""Each text is rated by itself, on every criterion of the study."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from annotations.protocols.protocol import Protocol

RATINGS = Protocol(
    key="ratings",
    label=_("ratings: a score for each text on each criterion"),
    methods_text=_("Each text was rated on every criterion."),
)
