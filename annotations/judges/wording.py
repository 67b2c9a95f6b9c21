"""What metrics that come with the project are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

LABELS: dict[str, _StrPromise] = {
    "relevance": gettext_lazy("Relevance by embeddings"),
    "length": gettext_lazy("Length"),
    "distinct-2": gettext_lazy("Distinct-2"),
    "copied": gettext_lazy("Share of the prompt copied"),
    "chrf": gettext_lazy("chrF against the reference"),
    "bleu": gettext_lazy("BLEU against the reference"),
}
