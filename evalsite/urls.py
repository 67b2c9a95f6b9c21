"""Addresses of the site; each app owns those under its own prefix."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.urls import URLResolver, include, path, reverse_lazy
from django.urls.resolvers import RoutePattern
from django.views.i18n import set_language

from annotations.recruiting import joining_views
from evalsite import health, views
from evalsite.accounts import token_views
from evalsite.accounts.forms import AdminLoginForm, LoginForm
from evalsite.accounts.views import change_password, forgot
from evalsite.documentation import views as documentation_views
from evalsite.researchers import views as researcher_views

handler404 = "evalsite.views.not_found"
handler500 = "evalsite.views.server_error"

admin.site.login_form = AdminLoginForm

urlpatterns = [
    path("", views.home, name="home"),
    path("example/", views.example_report, name="example_report"),
    path("", include("annotations.urls")),
    path("", include("turing.urls")),
    path("", include("generation.urls")),
    # /accounts/...
    path(
        "accounts/login/",
        auth_views.LoginView.as_view(authentication_form=LoginForm, redirect_authenticated_user=True),
        name="login",
    ),
    path("accounts/logout/", joining_views.log_out, name="logout"),
    path("accounts/password/", change_password, name="password_change"),
    path("accounts/forgot/", forgot, name="password_reset"),
    path(
        "accounts/forgot/<uidb64>/<token>/",
        auth_views.PasswordResetConfirmView.as_view(
            template_name="registration/new_password.html", success_url=reverse_lazy("login")
        ),
        name="password_reset_confirm",
    ),
    path("accounts/language/", login_not_required(set_language), name="set_language"),
    path("accounts/token/", token_views.api_token, name="api_token"),
    path("accounts/token/delete/", token_views.delete_api_token, name="delete_api_token"),
    # /docs/...
    path("docs/", documentation_views.index, name="documentation_index"),
    path("docs/licence/", documentation_views.licence, name="licence"),
    path("docs/<slug:name>/", documentation_views.page, name="documentation"),
    path("docs/<path:name>", documentation_views.documentation_picture, name="documentation_picture"),
    # /api/...
    # By name, because Django then imports the API when it is first called; `include` would now.
    URLResolver(RoutePattern("api/v1/"), "evalsite.api_urls", app_name="api", namespace="api"),
    path("api/schema/", views.api_schema, name="api_schema"),
    path("api/docs/", views.api_docs, name="api_docs"),
    # operators
    path("manage/", views.manage, name="manage"),
    path("manage/researchers/", researcher_views.invite, name="researchers"),
    path("manage/researchers/<str:username>/link/", researcher_views.new_link, name="researcher_link"),
    path("manage/researchers/<str:username>/remove/", researcher_views.remove, name="remove_researcher"),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
