"""Addresses of recruiting: for those who run a study and for those who join one."""

from __future__ import annotations

from django.urls import URLPattern, path

from annotations.recruiting import joining_views, views
from annotations.recruiting.deadlines import views as deadline_views
from annotations.recruiting.invitations import views as invitation_views

urlpatterns: list[URLPattern] = [
    # /join/<token>/
    path("join/<str:token>/", joining_views.join_study, name="join"),
    # /studies/<slug>/...
    path("studies/<slug:slug>/consent/", joining_views.consent, name="consent"),
    path("studies/<slug:slug>/withdraw/", joining_views.withdraw_from_study, name="withdraw"),
    path("studies/<slug:slug>/return-link/", joining_views.return_link, name="return_link"),
    # /manage/studies/<slug>/people/
    path("manage/studies/<slug:slug>/people/", views.people, name="people"),
    path("manage/studies/<slug:slug>/people/deadlines/", deadline_views.deadlines, name="deadlines"),
    path("manage/studies/<slug:slug>/people/groups/", views.add_group, name="add_group"),
    path("manage/studies/<slug:slug>/people/invitations/", invitation_views.invite_one, name="invite_one"),
    path(
        "manage/studies/<slug:slug>/people/invitations/file/",
        invitation_views.invite_file,
        name="invite_file",
    ),
    path(
        "manage/studies/<slug:slug>/people/invitations/file/<uuid:file>/",
        invitation_views.confirm_people,
        name="confirm_people",
    ),
    path(
        "manage/studies/<slug:slug>/people/invitations/<uuid:invitation>/revoke/",
        invitation_views.revoke,
        name="revoke_invitation",
    ),
    path("manage/studies/<slug:slug>/people/links/", invitation_views.add_link, name="add_open_link"),
    path(
        "manage/studies/<slug:slug>/people/links/<uuid:link>/", invitation_views.show_link, name="show_link"
    ),
    path(
        "manage/studies/<slug:slug>/people/invitations/<uuid:invitation>/",
        invitation_views.show_invitation,
        name="show_invitation",
    ),
    path(
        "manage/studies/<slug:slug>/people/links/<uuid:link>/close/",
        invitation_views.close_link,
        name="close_open_link",
    ),
    path("manage/studies/<slug:slug>/people/evaluators/", views.enrol_user, name="enrol_user"),
    path("manage/studies/<slug:slug>/people/evaluators/<int:number>/", views.person, name="person"),
    path(
        "manage/studies/<slug:slug>/people/evaluators/<int:number>/deadline/",
        views.extend,
        name="extend_deadline",
    ),
    path(
        "manage/studies/<slug:slug>/people/evaluators/<int:number>/login/",
        views.new_login,
        name="new_login",
    ),
    path(
        "manage/studies/<slug:slug>/people/evaluators/<int:number>/withdraw/",
        views.remove,
        name="remove_evaluator",
    ),
]
