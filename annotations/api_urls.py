"""Addresses of the API of studies."""

from __future__ import annotations

from django.urls import path

from annotations.monitoring import api as watching
from annotations.questionnaire import api as evaluating
from annotations.recruiting import api as people
from annotations.recruiting import enrolments_api as enrolments
from annotations.results import api as answers
from annotations.setup import api as setting_up
from annotations.setup import texts_api as texts

urlpatterns = [
    # /studies/... (those who run studies)
    path("studies/", setting_up.StudiesAndNew.as_view(), name="studies"),
    path("studies/<slug:slug>/", setting_up.ChangeableStudy.as_view(), name="study"),
    path("studies/<slug:slug>/criteria/", setting_up.Criteria.as_view(), name="criteria"),
    path("studies/<slug:slug>/material/", setting_up.Material.as_view(), name="material"),
    path("studies/<slug:slug>/sign-off/", setting_up.SignOff.as_view(), name="sign_off"),
    path("studies/<slug:slug>/launch/", setting_up.Launch.as_view(), name="launch"),
    path("studies/<slug:slug>/pause/", setting_up.Pause.as_view(), name="pause"),
    path("studies/<slug:slug>/resume/", setting_up.Resume.as_view(), name="resume"),
    path("studies/<slug:slug>/prompts/", texts.Prompts.as_view(), name="prompts"),
    path("studies/<slug:slug>/methods/", texts.Methods.as_view(), name="methods"),
    path("studies/<slug:slug>/candidates/", texts.Candidates.as_view(), name="candidates"),
    path("studies/<slug:slug>/runs/", texts.StudyRuns.as_view(), name="study_runs"),
    path("studies/<slug:slug>/runs/<uuid:run>/add/", texts.AddRun.as_view(), name="add_run"),
    path("studies/<slug:slug>/close/", answers.Close.as_view(), name="close"),
    path("studies/<slug:slug>/unblind/", answers.Unblind.as_view(), name="unblind"),
    path("studies/<slug:slug>/plan/", answers.Plan.as_view(), name="plan"),
    path("studies/<slug:slug>/ratings/", answers.Answers.as_view(), name="ratings"),
    path("studies/<slug:slug>/report/", answers.Report.as_view(), name="report"),
    path("studies/<slug:slug>/groups/", people.Groups.as_view(), name="groups"),
    path("studies/<slug:slug>/invitations/", people.Invitations.as_view(), name="invitations"),
    path(
        "studies/<slug:slug>/invitations/<uuid:invitation>/revoke/",
        people.RevokeInvitation.as_view(),
        name="revoke_invitation",
    ),
    path("studies/<slug:slug>/links/", people.OpenLinks.as_view(), name="links"),
    path("studies/<slug:slug>/links/<uuid:link>/close/", people.CloseOpenLink.as_view(), name="close_link"),
    path("studies/<slug:slug>/enrolments/", enrolments.Enrolments.as_view(), name="enrolments"),
    path("studies/<slug:slug>/enrolments/extend/", enrolments.ExtendDeadline.as_view(), name="extend"),
    path(
        "studies/<slug:slug>/enrolments/withdraw/",
        enrolments.WithdrawEvaluator.as_view(),
        name="withdraw_other",
    ),
    path("studies/<slug:slug>/heds/", answers.DataSheet.as_view(), name="heds"),
    path("studies/<slug:slug>/progress/", watching.Progress.as_view(), name="progress"),
    path("studies/<slug:slug>/evaluators/", watching.Evaluators.as_view(), name="evaluators"),
    path("studies/<slug:slug>/payments/", watching.Payments.as_view(), name="payments"),
    path(
        "studies/<slug:slug>/payments/approve/", watching.ApprovePayments.as_view(), name="approve_payments"
    ),
    path("studies/<slug:slug>/payments/paid/", watching.MarkPaid.as_view(), name="mark_paid"),
    path("studies/<slug:slug>/payments/revoke/", watching.RevokePayments.as_view(), name="revoke_payments"),
    path("studies/<slug:slug>/roles/", watching.Roles.as_view(), name="roles"),
    path("studies/<slug:slug>/roles/take/", watching.TakeRole.as_view(), name="take_role"),
    path("studies/<slug:slug>/log/", watching.Log.as_view(), name="log"),
    # /my/studies/... (those who rate)
    path("my/studies/", evaluating.OwnStudies.as_view(), name="own_studies"),
    path("my/studies/<slug:slug>/", evaluating.OwnStudy.as_view(), name="own_study"),
    path("my/studies/<slug:slug>/consent/", evaluating.OwnConsent.as_view(), name="own_consent"),
    path("my/studies/<slug:slug>/withdraw/", evaluating.OwnWithdrawal.as_view(), name="own_withdrawal"),
    path(
        "my/studies/<slug:slug>/subtasks/<int:subtask>/pages/<int:page>/",
        evaluating.OwnPage.as_view(),
        name="own_page",
    ),
    path(
        "my/studies/<slug:slug>/subtasks/<int:subtask>/pages/<int:page>/ratings/",
        evaluating.OwnRatings.as_view(),
        name="own_ratings",
    ),
    path(
        "my/studies/<slug:slug>/subtasks/<int:subtask>/pages/<int:page>/best/",
        evaluating.OwnBest.as_view(),
        name="own_best",
    ),
]
