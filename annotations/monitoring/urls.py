"""Addresses of watching a study: progress, payments, roles and the log."""

from __future__ import annotations

from django.urls import URLPattern, path

from annotations.access import views as role_views
from annotations.monitoring import views as watch_views
from annotations.payments import views as payment_views

urlpatterns: list[URLPattern] = [
    # /manage/studies/<slug>/progress/
    path("manage/studies/<slug:slug>/progress/", watch_views.progress, name="progress"),
    path("manage/studies/<slug:slug>/progress/live/", watch_views.progress_live, name="progress_live"),
    # /manage/studies/<slug>/payments/
    path("manage/studies/<slug:slug>/payments/", payment_views.payments, name="payments"),
    path("manage/studies/<slug:slug>/payments/approve/", payment_views.approve, name="approve_payments"),
    path("manage/studies/<slug:slug>/payments/paid/", payment_views.paid, name="mark_paid"),
    path("manage/studies/<slug:slug>/payments/revoke/", payment_views.revoke, name="revoke_approvals"),
    path("manage/studies/<slug:slug>/payments.csv", payment_views.payments_file, name="payments_file"),
    # /manage/studies/<slug>/roles/
    path("manage/studies/<slug:slug>/roles/", role_views.roles, name="roles"),
    path("manage/studies/<slug:slug>/roles/give/", role_views.give, name="give_role"),
    path("manage/studies/<slug:slug>/roles/take/", role_views.take, name="take_role"),
    path("manage/studies/<slug:slug>/log.csv", role_views.log_file, name="log_file"),
]
