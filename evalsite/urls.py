"""Addresses of the site; each app owns those under its own prefix."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.i18n import set_language

from evalsite import health, views

urlpatterns = [
    path("", views.home, name="home"),
    path("", include("annotations.urls")),
    path("", include("turing.urls")),
    path("", include("generation.urls")),
    # /accounts/...
    path("accounts/login/", auth_views.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("accounts/logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("accounts/language/", login_not_required(set_language), name="set_language"),
    # operators
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
