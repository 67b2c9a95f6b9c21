"""Sessions that name their user, so that one query reads both; who is logged in is for Django to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.middleware import get_user
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from generation.web.prepared import PreparedStatement

if TYPE_CHECKING:
    from evalsite.models import Session

BACKEND = "django.contrib.auth.backends.ModelBackend"


USER_FIELDS = [field.attname for field in User._meta.concrete_fields]
USER_COLUMNS = ", ".join(f"auth_user.{connection.ops.quote_name(field)}" for field in USER_FIELDS)
READ = PreparedStatement(
    "read_session",
    f"SELECT session.session_data, {USER_COLUMNS} FROM evalsite_session session"  # noqa: S608 - names of columns
    " LEFT JOIN auth_user ON auth_user.id = session.user_id"
    " WHERE session.session_key = %(session)s AND session.expire_date > %(time)s",
    {"session": "text", "time": "timestamptz"},
)


class SessionStore(DatabaseStore):
    """Django's sessions in the database, in rows that name their user."""

    # Whom the row of the session names, once it is read.
    stored_user: User | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        from evalsite.models import Session

        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        session = cast("Session", super().create_model_instance(data))
        session.user_id = data.get(SESSION_KEY)
        return session

    def load(self) -> dict[str, Any]:
        with connection.cursor() as cursor:
            cursor.execute(READ.ready(), {"session": self.session_key, "time": timezone.now()})
            row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return {}
        data, *user = row
        if user[0] is not None:
            self.stored_user = User.from_db(connection.alias, USER_FIELDS, user)
        return self.decode(data)


def user_of(request: HttpRequest) -> User | AnonymousUser:
    """Return who is logged in: the user read with the session where all is in order, else whom Django finds."""
    session = cast(SessionStore, request.session)
    named = session.get(SESSION_KEY)
    user = session.stored_user
    if (
        user is not None
        and str(user.pk) == named
        and user.is_active
        and session.get(BACKEND_SESSION_KEY) == BACKEND
        and constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())
    ):
        return user
    return get_user(request)
