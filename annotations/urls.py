"""Addresses of studies: each package has its own, and all share one namespace."""

from __future__ import annotations

from django.urls import include, path

from annotations import home_views

app_name = "annotations"

urlpatterns = [
    path("studies/", home_views.studies, name="studies"),
    path("", include("annotations.questionnaire.urls")),
    path("", include("annotations.training.urls")),
    path("", include("annotations.setup.urls")),
    path("", include("annotations.imports.urls")),
    path("", include("annotations.judges.urls")),
    path("", include("annotations.recruiting.urls")),
    path("", include("annotations.plan.urls")),
    path("", include("annotations.sample_size.urls")),
    path("", include("annotations.monitoring.urls")),
    path("", include("annotations.results.urls")),
    path("", include("annotations.jobs.urls")),
    path("", include("annotations.payments.urls")),
    path("", include("annotations.data_sheet.urls")),
    path("", include("annotations.access.urls")),
]
