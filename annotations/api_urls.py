"""Addresses of the API of studies."""

from __future__ import annotations

from django.urls import path

from annotations.access import api as access
from annotations.data_sheet import api as data_sheet
from annotations.jobs import api as jobs
from annotations.judges import api as judges
from annotations.monitoring import api as monitoring
from annotations.payments import api as payments
from annotations.plan import api as plan
from annotations.questionnaire import api as questionnaire
from annotations.questionnaire.checklists.api import OwnChecklist
from annotations.questionnaire.marking.api import OwnMarkings
from annotations.questionnaire.written.api import OwnWritten
from annotations.recruiting import api as recruiting
from annotations.recruiting import enrolments_api as enrolments
from annotations.recruiting import own_api as own
from annotations.results import api as results
from annotations.results import ratings_api as ratings
from annotations.results.checklists.api import ChecklistAnswerList
from annotations.results.preferences.api import Preferences
from annotations.results.spans import api as spans
from annotations.results.turns.api import TurnRatingList
from annotations.results.written.api import WrittenList
from annotations.setup import api as setup
from annotations.setup import texts_api as texts
from annotations.setup.checklist_items.api import ChecklistItems
from annotations.setup.material import api as material
from annotations.setup.quality import api as quality
from annotations.training.api import OwnTrainingCheck, OwnTrainingRound

urlpatterns = [
    # /studies/... (those who run studies)
    path("studies/", setup.StudiesAndNew.as_view(), name="studies"),
    path("studies/<slug:slug>/", setup.ChangeableStudy.as_view(), name="study"),
    path("studies/<slug:slug>/criteria/", setup.Criteria.as_view(), name="criteria"),
    path("studies/<slug:slug>/checklist/", ChecklistItems.as_view(), name="checklist_items"),
    path("studies/<slug:slug>/material/", material.Material.as_view(), name="material"),
    path("studies/<slug:slug>/sign-off/", setup.SignOff.as_view(), name="sign_off"),
    path("studies/<slug:slug>/launch/", setup.Launch.as_view(), name="launch"),
    path("studies/<slug:slug>/pause/", setup.Pause.as_view(), name="pause"),
    path("studies/<slug:slug>/resume/", setup.Resume.as_view(), name="resume"),
    path("studies/<slug:slug>/prompts/", texts.Prompts.as_view(), name="prompts"),
    path("studies/<slug:slug>/methods/", texts.Methods.as_view(), name="methods"),
    path("studies/<slug:slug>/methods/<slug:key>/", texts.OneMethod.as_view(), name="method"),
    path("studies/<slug:slug>/candidates/", texts.Candidates.as_view(), name="candidates"),
    path("studies/<slug:slug>/runs/", texts.StudyRuns.as_view(), name="study_runs"),
    path("studies/<slug:slug>/runs/<uuid:run>/add/", texts.AddRun.as_view(), name="add_run"),
    path("studies/<slug:slug>/quality-control/", quality.Quality.as_view(), name="quality_control"),
    path("studies/<slug:slug>/close/", setup.Close.as_view(), name="close"),
    path("studies/<slug:slug>/unblind/", results.Unblind.as_view(), name="unblind"),
    path("studies/<slug:slug>/plan/", plan.Plan.as_view(), name="plan"),
    path("studies/<slug:slug>/ratings/", ratings.AnswersAndImport.as_view(), name="ratings"),
    path("studies/<slug:slug>/judge-ratings/", judges.JudgeRatings.as_view(), name="judge_ratings"),
    path("studies/<slug:slug>/judge-runs/", judges.JudgeRuns.as_view(), name="judge_runs"),
    path("studies/<slug:slug>/judge-runs/<uuid:judge_run>/", judges.OneJudgeRun.as_view(), name="judge_run"),
    path("studies/<slug:slug>/judges/", judges.Judges.as_view(), name="judges"),
    path("studies/<slug:slug>/judges/<slug:judge>/", judges.OneJudge.as_view(), name="judge"),
    path("studies/<slug:slug>/checklist-answers/", ChecklistAnswerList.as_view(), name="checklist_answers"),
    path("studies/<slug:slug>/turn-ratings/", TurnRatingList.as_view(), name="turn_ratings"),
    path("studies/<slug:slug>/written-answers/", WrittenList.as_view(), name="written_answers"),
    path("studies/<slug:slug>/spans/", spans.SpansAndImport.as_view(), name="spans"),
    path("studies/<slug:slug>/preferences/", Preferences.as_view(), name="preferences"),
    path("studies/<slug:slug>/judgements/", results.JudgementList.as_view(), name="judgements"),
    path("studies/<slug:slug>/report/", results.Report.as_view(), name="report"),
    path("studies/<slug:slug>/jobs/", jobs.Jobs.as_view(), name="jobs"),
    path("studies/<slug:slug>/groups/", recruiting.Groups.as_view(), name="groups"),
    path("studies/<slug:slug>/invitations/", recruiting.Invitations.as_view(), name="invitations"),
    path(
        "studies/<slug:slug>/invitations/<uuid:invitation>/revoke/",
        recruiting.RevokeInvitation.as_view(),
        name="revoke_invitation",
    ),
    path("studies/<slug:slug>/links/", recruiting.OpenLinks.as_view(), name="links"),
    path("studies/<slug:slug>/links/<uuid:link>/", recruiting.ShowOpenLink.as_view(), name="show_link"),
    path(
        "studies/<slug:slug>/links/<uuid:link>/close/", recruiting.CloseOpenLink.as_view(), name="close_link"
    ),
    path("studies/<slug:slug>/enrolments/", enrolments.Enrolments.as_view(), name="enrolments"),
    path("studies/<slug:slug>/enrolments/extend/", enrolments.ExtendDeadline.as_view(), name="extend"),
    path("studies/<slug:slug>/enrolments/deadline/", enrolments.SetDeadlines.as_view(), name="set_deadlines"),
    path(
        "studies/<slug:slug>/enrolments/withdraw/",
        enrolments.WithdrawEvaluator.as_view(),
        name="withdraw_other",
    ),
    path("studies/<slug:slug>/heds/", data_sheet.DataSheet.as_view(), name="heds"),
    path("studies/<slug:slug>/progress/", monitoring.Progress.as_view(), name="progress"),
    path("studies/<slug:slug>/checks/", monitoring.Checks.as_view(), name="checks"),
    path("studies/<slug:slug>/evaluators/", monitoring.Evaluators.as_view(), name="evaluators"),
    path("studies/<slug:slug>/payments/", payments.Payments.as_view(), name="payments"),
    path(
        "studies/<slug:slug>/payments/approve/", payments.ApprovePayments.as_view(), name="approve_payments"
    ),
    path("studies/<slug:slug>/payments/paid/", payments.MarkPaid.as_view(), name="mark_paid"),
    path("studies/<slug:slug>/payments/revoke/", payments.RevokePayments.as_view(), name="revoke_payments"),
    path("studies/<slug:slug>/roles/", access.Roles.as_view(), name="roles"),
    path("studies/<slug:slug>/roles/take/", access.TakeRole.as_view(), name="take_role"),
    path("studies/<slug:slug>/log/", access.Log.as_view(), name="log"),
    # /jobs/... (those who see results)
    path("jobs/<uuid:job>/", jobs.OneJob.as_view(), name="job"),
    path("jobs/<uuid:job>/file/", jobs.JobFile.as_view(), name="job_file"),
    # /my/studies/... (those who rate)
    path("my/studies/", questionnaire.OwnStudies.as_view(), name="own_studies"),
    path("my/studies/<slug:slug>/", questionnaire.OwnStudy.as_view(), name="own_study"),
    path("my/studies/<slug:slug>/consent/", own.OwnConsent.as_view(), name="own_consent"),
    path("my/studies/<slug:slug>/withdraw/", own.OwnWithdrawal.as_view(), name="own_withdrawal"),
    path("my/studies/<slug:slug>/training/", OwnTrainingRound.as_view(), name="own_training"),
    path("my/studies/<slug:slug>/training/check/", OwnTrainingCheck.as_view(), name="own_training_check"),
    path(
        "my/studies/<slug:slug>/subtasks/<int:subtask>/pages/<int:page>/",
        questionnaire.OwnPage.as_view(),
        name="own_page",
    ),
    path(
        "my/studies/<slug:slug>/subtasks/<int:subtask>/pages/<int:page>/ratings/",
        questionnaire.OwnRatings.as_view(),
        name="own_ratings",
    ),
    path(
        "my/studies/<slug:slug>/subtasks/<int:subtask>/pages/<int:page>/best/",
        questionnaire.OwnBest.as_view(),
        name="own_best",
    ),
    path(
        "my/studies/<slug:slug>/subtasks/<int:subtask>/pages/<int:page>/judgements/",
        questionnaire.OwnJudgements.as_view(),
        name="own_judgements",
    ),
    path(
        "my/studies/<slug:slug>/subtasks/<int:subtask>/pages/<int:page>/written/",
        OwnWritten.as_view(),
        name="own_written",
    ),
    path(
        "my/studies/<slug:slug>/subtasks/<int:subtask>/pages/<int:page>/markings/",
        OwnMarkings.as_view(),
        name="own_markings",
    ),
    path(
        "my/studies/<slug:slug>/subtasks/<int:subtask>/pages/<int:page>/checklist/",
        OwnChecklist.as_view(),
        name="own_checklist",
    ),
]
