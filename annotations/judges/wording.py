"""What judges, and metrics that come with the project, are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy

from annotations.models import Judge

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


VERSIONS: dict[str, _StrPromise] = {
    "length": gettext_lazy("words, or characters where no space parts words"),
    "distinct-2": gettext_lazy("pairs of words, or of characters"),
    "copied": gettext_lazy("words or characters of the prompt"),
    "bleu": gettext_lazy("sacreBLEU 2.6.0, BLEU with effective order"),
}


def judge_version(judge: Judge) -> str:
    """Return what exactly made the scores, in the reader's language where that is said in words of the project."""
    if judge.kind == Judge.Kind.METRIC and str(VERSIONS.get(judge.key, "")):
        return str(VERSIONS[judge.key])
    return judge.version


def judge_name(judge: Judge) -> str:
    """Return what a judge is called, in the reader's language where it is a metric that comes with the project."""
    if judge.kind == Judge.Kind.METRIC and judge.key in LABELS:
        return str(LABELS[judge.key])
    return judge.label
