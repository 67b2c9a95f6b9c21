"""Addresses of a study's payments."""

from __future__ import annotations

from django.urls import URLPattern, path

from annotations.payments import views

urlpatterns: list[URLPattern] = [
    # /manage/studies/<slug>/payments/
    path("manage/studies/<slug:slug>/payments/", views.payments, name="payments"),
    path("manage/studies/<slug:slug>/payments/approve/", views.approve, name="approve_payments"),
    path("manage/studies/<slug:slug>/payments/paid/", views.paid, name="mark_paid"),
    path("manage/studies/<slug:slug>/payments/revoke/", views.revoke, name="revoke_approvals"),
    path("manage/studies/<slug:slug>/payments.csv", views.payments_file, name="payments_file"),
]
