"""A metric is computed by a worker, for those who run the study, also while it is sealed."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from annotations.jobs.queueing import queue_job
from annotations.jobs.running import run_next
from annotations.judges.wording import LABELS
from annotations.models import Job, Judge, Study, StudyRole
from annotations.recruiting.enrolment import enrol
from annotations.results.report import study_report
from annotations.results.seal import is_sealed
from annotations.tasks import ask_judge
from annotations.tests.cast import build_study, build_user
from annotations.tests.job_cast import with_role
from generation.evidence import metrics

LENGTH = {"metric": "length"}


@pytest.fixture
def study(transactional_db: None) -> Study:
    study = build_study()
    enrol(study, build_user("alice"))
    return study


def test_all_metrics_have_a_name() -> None:
    assert list(metrics.METRICS) == list(LABELS)


def test_a_worker_computes_a_metric_while_the_study_is_sealed_and_nobody_sees_a_number(study: Study) -> None:
    assert is_sealed(study)
    owner = with_role(study, "olga", StudyRole.Role.OWNER)
    job = queue_job(study, "metric", LENGTH, by=owner)
    assert run_next()
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert Judge.objects.get().ratings.count() == 8
    assert is_sealed(study)
    assert study_report(study).judges == ()


def test_analysts_may_not_have_metrics_computed(study: Study) -> None:
    with pytest.raises(PermissionDenied):
        queue_job(study, "metric", LENGTH, by=with_role(study, "ana"))


def test_page_and_api_queue_it(study: Study, client: Client) -> None:
    client.force_login(with_role(study, "olga", StudyRole.Role.OWNER))
    client.post("/manage/studies/poems/judges/metric/", {"metric": "copied"})
    assert Job.objects.get().parameters == {"metric": "copied"}
    response = client.post("/manage/studies/poems/judges/metric/", {"metric": "beauty"}, follow=True)
    assert "metric must be one of relevance, length" in response.content.decode()
    body = {"kind": "metric", "metric": "length"}
    response = client.post("/api/v1/studies/poems/jobs/", body, content_type="application/json")
    assert response.status_code == HTTPStatus.ACCEPTED, response.content
    while run_next():
        pass
    chinese = client.get(
        "/manage/studies/poems/judges/", headers={"accept-language": "zh-hans"}
    ).content.decode()
    assert '<th scope="row">长度</th>' in chinese
    page = client.get("/manage/studies/poems/judges/").content.decode()
    assert '<option value="relevance">Relevance by embeddings</option>' in page


def test_the_task_of_judges_does_nothing_where_no_judge_is_to_be_asked(study: Study) -> None:
    ask_judge()
    assert not Judge.objects.exists()
