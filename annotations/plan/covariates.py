"""What a plan says that comparisons of texts are adjusted for."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from annotations.models import AnalysisPlan, Study
from generation.files.problems import listed
from generation.refusals import Refused


def checked_covariates(study: Study, covariates: Iterable[str] | None) -> list[str] | None:
    """Return what comparisons of texts are adjusted for, each once; None where texts are rated."""
    known = AnalysisPlan.Covariate.values
    if study.asks.answer is None:
        if covariates:
            raise Refused(_("Only comparisons of texts are adjusted; in this study texts are not compared."))
        return None
    chosen = known if covariates is None else list(covariates)
    for one in chosen:
        if one not in known:
            raise Refused(
                _("%(covariate)s is none of %(legal)s.") % {"covariate": one, "legal": listed(known)}
            )
    return [one for one in known if one in chosen]
