"""Addresses of jobs: those of the reader, one of them, and its file."""

from __future__ import annotations

from django.urls import URLPattern, path

from annotations.jobs import views

urlpatterns: list[URLPattern] = [
    # /manage/jobs/...
    path("manage/jobs/", views.jobs, name="jobs"),
    path("manage/jobs/<uuid:job>/", views.job, name="job"),
    path("manage/jobs/<uuid:job>/live/", views.job_live, name="job_live"),
    path("manage/jobs/<uuid:job>/tell/", views.tell, name="tell_job"),
    path("manage/jobs/<uuid:job>/stop/", views.stop, name="stop_job"),
    path("manage/jobs/<uuid:job>/file/", views.job_file, name="job_file"),
    path("manage/studies/<slug:slug>/judges/metric/", views.metric, name="metric"),
    # /studies/<slug>/results/...
    path("studies/<slug:slug>/results/prepare/", views.prepare, name="prepare"),
    # /studies/<slug>/plan/...
    path("studies/<slug:slug>/plan/rehearse/", views.rehearse, name="rehearse"),
]
