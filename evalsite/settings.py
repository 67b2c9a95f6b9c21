"""Settings of the site: one file, everything an operator may change read from the environment.

With no environment at all the site runs on this machine only, on embedded servers, with a secret key
made at the first start. `EVALSITE_ENV=production` refuses to start until what a public site needs is given.
"""

from __future__ import annotations

import gc
import os
import tomllib
from contextlib import suppress
from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from evalsite import embedded
from evalsite.demo.running import running_demo
from evalsite.environment import env_bool, env_choice, env_int, env_list, secret_key
from generation.engines.servers import parse_servers

BASE_DIR = Path(__file__).resolve().parent.parent
# The arrays of a report are small and a process serves several requests: threads of the linear algebra would
# only wait for each other. It has to be said before numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Nearly all that a start makes stays, so garbage is looked for after more new objects than the 700 that Python has.
gc.set_threshold(10_000)
# Printed in every report, which must say what made it.
VERSION = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]
# Where the code of this site can be had; the foot of every page leads there.
SOURCE_URL = os.environ.get("SOURCE_URL", "").rstrip("/")
# Where lies what is made on this machine and is no part of the checkout.
HOME_DIR = embedded.home()


PRODUCTION = env_choice("EVALSITE_ENV", ("local", "production")) == "production"
if PRODUCTION:
    for required in ("SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "CELERY_BROKER_URL"):
        if not os.environ.get(required):
            raise ImproperlyConfigured(f"{required}: must be set when EVALSITE_ENV=production")

    with suppress(OSError):  # beat keeps its schedule there; a web process can do without
        HOME_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

SECRET_KEY = secret_key(production=PRODUCTION)
DEBUG = env_bool("DEBUG", default=False)
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS", default=[])
CSRF_FAILURE_VIEW = "evalsite.views.csrf_failure"

INSTALLED_APPS = [
    # First, because its commands stand for those of the same name.
    "evalsite",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "axes",
    "generation",
    "annotations",
    "turing",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "evalsite.middleware.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "evalsite.middleware.BodyMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "evalsite.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "evalsite.middleware.no_store",
    "evalsite.middleware.RefusalMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "evalsite.urls"
WSGI_APPLICATION = "evalsite.wsgi.application"
ASGI_APPLICATION = "evalsite.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "evalsite" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "evalsite.documentation.footer.footer",
            ],
        },
    },
]

# Reports that are shared take seconds to compute and are the same for everybody: one cache a machine.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": HOME_DIR / "cache",
        "OPTIONS": {"MAX_ENTRIES": 200},
    }
}

# Database: PostgreSQL only. Connections are kept, because opening one costs more than a page's own work,
# and checked before use, because a server that was restarted has dropped them.
DATABASES = {
    "default": dj_database_url.parse(embedded.urls().database, conn_max_age=60, conn_health_checks=True),
}
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured("DATABASE_URL: must be a postgres:// address; no other database is supported")
DATABASES["default"]["ENGINE"] = "evalsite.database"
# Where connections go through a pooler that gives each transaction any of its own, as PgBouncer in transaction mode:
# nothing may be left on a connection for the next one.
TRANSACTION_POOLER = env_bool("TRANSACTION_POOLER", default=False)
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = TRANSACTION_POOLER
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Celery. The database knows what is left to write, and a message only notifies a worker
# (generation/runs/notifications.py): one that is lost or comes twice costs seconds or nothing.
CELERY_BROKER_URL = embedded.urls().broker
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_RETRY_ON_WORKER_LOST = True  # obeys max_retries; CELERY_TASK_REJECT_ON_WORKER_LOST never gives up
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Soft limit < hard limit < visibility timeout: a message must not come back while its task still runs.
CELERY_TASK_SOFT_TIME_LIMIT = 840
CELERY_TASK_TIME_LIMIT = 900
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30
# A process is replaced now and then, so that no leak grows for ever; loading a model anew takes seconds.
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A text in the making outlives its broker: the lease says whether it may still be handed in.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    # How soon the messages of a killed worker are looked for once they may come back.
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_keepalive": True,
    # A request that notifies a worker must not hang with the broker.
    "socket_connect_timeout": 5,
}
# Loaded by whoever sends a task, and by the workers: most processes do neither.
MESSAGE_APP = "evalsite.celery.app"
CELERY_TASK_DEFAULT_QUEUE = "default"
# What a worker takes that is started without naming queues; other models have queues of their own.
CELERY_TASK_QUEUES = {
    name: {"exchange": name, "routing_key": name} for name in ("default", "generate", "live")
}
# Each process of a worker holds a model of its own.
CELERY_WORKER_CONCURRENCY = 1
CELERY_TASK_ROUTES = {"generation.*": {"queue": "generate"}, "turing.*": {"queue": "live"}}
# What beat sends. Each of it may come twice, or from two beats: it is done once.
CELERY_BEAT_SCHEDULE = {
    "remind evaluators": {
        "task": "annotations.tasks.send_reminders",
        "schedule": 3600,
        "options": {"expires": 3600},
    },
    "give sub-tasks back": {
        "task": "annotations.tasks.give_back",
        "schedule": 900,
        "options": {"expires": 900},
    },
}
CELERY_BEAT_SCHEDULE_FILENAME = str(HOME_DIR / "beat-schedule")

# Accounts
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "annotations:studies"
LOGOUT_REDIRECT_URL = "home"
AXES_FAILURE_LIMIT = 6
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
# How many proxies stand in front: which entry of X-Forwarded-For is the visitor's address. What a client sends itself
# must not choose it.
TRUSTED_PROXIES = env_int("TRUSTED_PROXIES", default=0)
AXES_CLIENT_IP_CALLABLE = "generation.web.addresses.address_of"

# Language and time
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Chinese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
TIME_ZONE = os.environ.get("TIME_ZONE", "UTC")
USE_TZ = True

# Where the site does not have a host of its own: the path below which it lies, such as /evaluation.
SCRIPT_NAME = os.environ.get("SCRIPT_NAME", "").rstrip("/")
if SCRIPT_NAME and not SCRIPT_NAME.startswith("/"):
    raise ImproperlyConfigured(f"SCRIPT_NAME={SCRIPT_NAME!r}: must begin with /")
FORCE_SCRIPT_NAME = SCRIPT_NAME or None

# Static files: served by the web process; hashed names where `collectstatic` has been run.
STATIC_URL = f"{SCRIPT_NAME}/static/"
STATIC_ROOT = BASE_DIR / "staticfiles" if PRODUCTION else None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION

# The game: how many games an hour one player and one address may begin; 0 is no limit.
TURING_GAMES_PER_PLAYER = env_int("TURING_GAMES_PER_PLAYER", default=60)
TURING_GAMES_PER_ADDRESS = env_int("TURING_GAMES_PER_ADDRESS", default=1200)

# Live conversations with strangers and machines (docs/administrators.md): off on a public site until it is said.
TURING_LIVE = env_bool("TURING_LIVE", default=not PRODUCTION)
TURING_LIVE_SECONDS = env_int("TURING_LIVE_SECONDS", default=300)
TURING_LIVE_WAIT_SECONDS = env_int("TURING_LIVE_WAIT_SECONDS", default=60)
# Whether two people behind one address may meet, as in a class or a demonstration.
TURING_LIVE_SAME_ADDRESS = env_bool("TURING_LIVE_SAME_ADDRESS", default=not PRODUCTION)
# Where the process that sends events is: an address, / behind a proxy that parts them, or a port of this host as :8001.
TURING_EVENTS_URL = os.environ.get("TURING_EVENTS_URL", "")
# For how many days what was said live is kept; 0 is for ever.
CHAT_KEEP_DAYS = env_int("CHAT_KEEP_DAYS", default=90)
EVENT_SOURCES = (
    [f"http://{host}{TURING_EVENTS_URL}" for host in ("127.0.0.1", "localhost")]
    if TURING_EVENTS_URL.startswith(":")
    else [TURING_EVENTS_URL.rstrip("/")]
    if "://" in TURING_EVENTS_URL
    else []
)

# Composing: how many texts an hour one visitor and one address may ask for, and how many may be open at a time, in all
# and of one address; 0 is no limit.
COMPOSE_PER_VISITOR = env_int("COMPOSE_PER_VISITOR", default=30)
COMPOSE_PER_ADDRESS = env_int("COMPOSE_PER_ADDRESS", default=300)
COMPOSE_QUEUE = env_int("COMPOSE_QUEUE", default=20)
COMPOSE_QUEUE_PER_ADDRESS = env_int("COMPOSE_QUEUE_PER_ADDRESS", default=8)


def site_url() -> str:
    """Return the address that links in letters and from commands begin with; a demonstration knows its port."""
    if given := os.environ.get("SITE_URL"):
        return given
    if PRODUCTION:
        return f"https://{ALLOWED_HOSTS[0].lstrip('.')}"
    demo = running_demo()
    return f"http://127.0.0.1:{demo.port if demo else 8000}"


SITE_URL = site_url()
if not SITE_URL.startswith(("http://", "https://")):
    raise ImproperlyConfigured(f"SITE_URL={SITE_URL!r}: must begin with http:// or https://")

# Mail. Without a server none is sent: the links of invitations are then shown once, to be handed over otherwise.
EMAIL_HOST = os.environ.get("EMAIL_HOST", "")
EMAIL_PORT = env_int("EMAIL_PORT", default=25)
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS", default=False)
EMAIL_USE_SSL = env_bool("EMAIL_USE_SSL", default=False)
if EMAIL_USE_TLS and EMAIL_USE_SSL:
    raise ImproperlyConfigured("EMAIL_USE_TLS, EMAIL_USE_SSL: only one of them can be 1")
EMAIL_TIMEOUT = 20
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'dummy'}.EmailBackend"
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL", "evalsite@localhost")

# How many times an hour people behind one address may join studies by links; 0 is no limit.
JOINS_PER_ADDRESS = env_int("JOINS_PER_ADDRESS", default=600)

# For how many days a visitor's text is kept, with what was asked for; 0 is for ever.
COMPOSE_KEEP_DAYS = env_int("COMPOSE_KEEP_DAYS", default=90)

# The method jiuge: a service elsewhere that writes poems (generation/jiuge.py); without its address there is none.
JIUGE_URL = os.environ.get("JIUGE_URL", "")
if JIUGE_URL and not JIUGE_URL.startswith(("http://", "https://")):
    raise ImproperlyConfigured(f"JIUGE_URL={JIUGE_URL!r}: must begin with http:// or https://")

# Language models that engines elsewhere serve, as JSON by name (docs/models.md). Their addresses come from here alone.
try:
    LANGUAGE_MODEL_SERVERS = parse_servers(os.environ.get("LANGUAGE_MODEL_SERVERS", ""))
except ValueError as error:
    raise ImproperlyConfigured(f"LANGUAGE_MODEL_SERVERS: {error}") from None

# Security
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # The plots of a report stand in the page itself.
        "img-src": [SELF, "data:"],
        "connect-src": [SELF, *EVENT_SOURCES],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_ENGINE = "evalsite.sessions"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600  # longer than the week an evaluator has
if PRODUCTION:
    SECURE_SSL_REDIRECT = env_bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = env_int("SECURE_HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    if TRUSTED_PROXIES:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
# Of a file with prompts, candidates or a rubric; anything larger is refused.
UPLOAD_MEGABYTES = env_int("UPLOAD_MEGABYTES", default=20)

# The API. Errors have one form; whoever sends no token is known by the session, and then needs Django's CSRF token.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "evalsite.accounts.tokens.HashedTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["generation.web.rest.BoundedJSONParser"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "generation.web.rest.explain",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "evalsite",
    "DESCRIPTION": "Studies, those who run them and those who rate, generation runs and the Turing game.",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    # A body and what is answered to it have different fields.
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "StudyState": "annotations.models.Study.State",
        "StudyRole": "annotations.models.StudyRole.Role",
        "JobState": "annotations.models.Job.State",
        "OffScale": "annotations.models.AnalysisPlan.OffScale",
        "EnrolmentSource": "annotations.models.Enrolment.Source",
        "RunState": "generation.models.GenerationRun.State",
        "TextState": "generation.models.RunPrompt.State",
        "PaymentState": "annotations.payments.ledger.State",
        "Genre": "generation.genres.genre_choices",
        "GameGenre": "turing.models.Genre",
        "Side": "turing.models.Side",
        "GameKind": "turing.models.Kind",
    },
    "PREPROCESSING_HOOKS": ["generation.web.schema_hooks.only_api"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "generation.web.schema_hooks.add_errors",
    ],
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("LOG_LEVEL", "WARNING")},
}
