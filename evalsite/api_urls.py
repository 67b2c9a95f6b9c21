"""Addresses of the API, each app's own; a study, page or run has here the name that it has on the site."""

from __future__ import annotations

from django.urls import path

from annotations import api_urls as annotations_urls
from evalsite import api
from generation.runs import api_urls as generation_urls
from turing import api_urls as turing_urls

app_name = "api"

urlpatterns = [
    *annotations_urls.urlpatterns,
    *generation_urls.urlpatterns,
    *turing_urls.urlpatterns,
    path("join/", api.Join.as_view(), name="join"),
]
