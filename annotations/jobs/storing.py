"""What jobs store: uploads that waited, and rehearsals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.utils.translation import gettext as _

from annotations.access.permissions import Right, may_create, rights
from annotations.jobs.files import study_of
from annotations.jobs.outcome import Progress, Stored
from annotations.models import Job, Study, StudyRole, WaitingUpload
from generation.refusals import Refused


def import_material(job: Job, progress: Progress) -> Stored:
    """Store candidates or prompts that waited as the material of a draft."""
    from annotations.setup.uploads.waiting import read_waiting, store_read

    refuse_without(Right.RUN, job)
    upload = upload_of(job)
    said = {name: value for name, value in job.parameters.items() if name != "upload"}
    progress(0, 0)
    file = read_waiting(upload, report_rows=rows_reporter(progress), **said)
    return Stored(lambda: store_read(upload, file, by=job.owner, adds=bool(said.get("adds"))))


def import_ratings(job: Job, progress: Progress) -> Stored:
    """Store ratings that waited as a study of their own."""
    # With numpy, which takes longer to load than all the rest of a web process.
    from annotations.imports.rating_columns import Reading
    from annotations.imports.rating_uploads import found_in_upload, store_found
    from annotations.models.texts_by_language import TextsByLanguage

    if not may_create(job.owner):
        raise Refused(_("You may no longer begin studies."))
    upload, said = upload_of(job), job.parameters
    progress(0, 2)
    found = found_in_upload(upload, Reading.of(said["reading"]))
    progress(1, 2)
    fields = {"slug": said["slug"], "title": TextsByLanguage(said["title"]), "genre": said["genre"]}
    return Stored(lambda: store_found(upload, found, by=job.owner, **fields).study)


def import_scores(job: Job, progress: Progress) -> Stored:
    """Store scores that waited as those of a judge of a study."""
    from annotations.judges.uploads import ScoresRead, scores_in, store_scores_read

    refuse_without(Right.RUN, job)
    study, upload, reading = study_of(job), upload_of(job), ScoresRead.of(job.parameters)
    progress(0, 0)
    file = scores_in(upload, study, reading, rows_reporter(progress))
    return Stored(lambda: store_scores_read(upload, study, file, reading, by=job.owner))


def rehearse(job: Job, progress: Progress) -> Stored:
    """Answer a copy of a study with simulated evaluators."""
    from annotations.plan.rehearsal import rehearse as rehearse_study
    from annotations.plan.simulation import Effects

    refuse_without(Right.RUN, job)
    evaluators, effect = int(job.parameters["evaluators"]), float(job.parameters["effect"])

    def followed(saves: list[Any]) -> Iterator[Any]:
        for number, one in enumerate(saves):
            progress(number, len(saves))
            yield one

    def store() -> Study:
        copy = rehearse_study(
            study_of(job), evaluators=evaluators, effects=Effects(step=effect), seed=0, progress=followed
        )
        StudyRole.objects.get_or_create(study=copy, user=job.owner, defaults={"role": StudyRole.Role.OWNER})
        return copy

    return Stored(store)


def compute_metric(job: Job, progress: Progress) -> Stored:
    """Compute a metric for the texts of a study."""
    from annotations.judges.metrics import computed_scores, store_metric

    refuse_without(Right.RUN, job)
    study, metric = study_of(job), job.parameters["metric"]
    scores = computed_scores(study, metric, progress)
    return Stored(lambda: store_metric(study, metric, scores, by=job.owner).study)


def upload_of(job: Job) -> WaitingUpload:
    """Return the upload that a job is to store; raise `Refused` where it is gone."""
    upload = WaitingUpload.objects.select_related("study").filter(job=job).first()
    if upload is None:
        raise Refused(_("The file does not wait any more; upload it again."))
    return upload


def refuse_without(right: Right, job: Job) -> None:
    """Raise `Refused` where the owner of a job may no longer do what it does."""
    if right not in rights(job.owner, study_of(job)):
        raise Refused(_("Your role in the study no longer lets you do this."))


def rows_reporter(progress: Progress) -> Callable[[int], None]:
    """Return what is called with how many rows are read: of how many, nobody knows before the last."""
    return lambda rows: progress(rows, rows)
