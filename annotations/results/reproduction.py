"""Two studies of the same methods side by side: how well the second reproduces the first."""

from __future__ import annotations

from django.utils.translation import gettext as _

from annotations.models import Study
from annotations.results.report import study_report
from annotations.results.seal import refuse_sealed
from generation.refusals import Refused
from stats.analysis import Analysis
from stats.ratings.reproduction import Reproduction, reproduction
from stats.reports.study_report import StudyFacts


def compare_studies(first: Study, second: Study) -> Reproduction:
    """Compare the results of two studies on the criteria and methods, by key, that both have.

    Raises `Refused` where a study is sealed or has no results, or where they share no criterion or method.
    """
    one, other = with_results(first), with_results(second)
    shared = [key for key in one[0].methods if key in other[0].methods]
    lowest = {
        criterion.key: (float(criterion.minimum), float(again.minimum))
        for criterion in one[0].criteria
        for again in other[0].criteria
        if again.key == criterion.key
    }
    if not shared or not lowest:
        raise Refused(_("The two studies share no method or no criterion, so there is nothing to compare."))
    return reproduction(one[1], other[1], lowest)


def with_results(study: Study) -> tuple[StudyFacts, Analysis]:
    """Return what a study is and its analysis; raise `Refused` where it is sealed or has none."""
    refuse_sealed(study)
    report = study_report(study)
    if report.analysis is None:
        raise Refused(_("%(slug)s has no results yet.") % {"slug": study.slug})
    return report.study, report.analysis
