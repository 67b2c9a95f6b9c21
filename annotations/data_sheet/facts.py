"""What the platform knows of a study for its data sheet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Sum

from annotations.models import (
    AnalysisPlan,
    Criterion,
    Enrolment,
    EvaluatorGroup,
    Invitation,
    OpenLink,
    PageCandidate,
    StaffAct,
    Study,
)
from annotations.monitoring.dashboard import Alpha, Funnel, dashboard
from annotations.plan.plan import locked_plan


@dataclass(frozen=True)
class Facts:
    """Everything that the sheet is filled in from."""

    study: Study
    methods: tuple[str, ...]
    prompts: int
    texts: int
    subtasks: int
    criteria: tuple[Criterion, ...]
    groups: tuple[EvaluatorGroup, ...]
    funnel: Funnel
    alphas: tuple[Alpha, ...]
    plan: AnalysisPlan | None
    # File name and digest of the material as it was last uploaded.
    material: dict[str, Any]
    invitations: int
    mailed: int
    open_links: int
    places: int
    from_panel: bool
    consented: int
    forms: tuple[dict[str, Any], ...]


def gathered(study: Study) -> Facts:
    """Read all facts, with a number of queries that does not depend on the study's size."""
    watched = dashboard(study)
    people = study.enrolments.filter(source=Enrolment.Source.QUESTIONNAIRE, withdrawn_at=None)
    links = study.open_links.aggregate(places=Sum("limit"))
    upload = StaffAct.objects.filter(study=study, act="study.material").first()
    pages = [row.prompts for row in watched.matrix.rows]
    return Facts(
        study=study,
        methods=tuple(study.study_methods.names().values()),
        prompts=sum(pages),
        texts=PageCandidate.objects.counted(study).count(),
        subtasks=len(pages),
        criteria=tuple(study.criteria.all()),
        groups=tuple(study.groups.all()),
        funnel=watched.funnel,
        alphas=watched.alphas,
        plan=locked_plan(study),
        material=upload.details if upload else {},
        invitations=Invitation.objects.filter(study=study, revoked_at=None).count(),
        mailed=Invitation.objects.filter(study=study, sent_at__isnull=False).count(),
        open_links=OpenLink.objects.filter(study=study).count(),
        places=links["places"] or 0,
        from_panel=OpenLink.objects.filter(study=study, takes_external_ids=True).exists(),
        consented=people.filter(consented_at__isnull=False).count(),
        forms=tuple(people.exclude(form_answers={}).values_list("form_answers", flat=True)),
    )
