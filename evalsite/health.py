"""Whether the site is alive and ready, for load balancers and for people who wonder."""

from __future__ import annotations

import logging

from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from generation.models import Worker
from generation.runs.progress import workload

BROKER_SECONDS = 2

logger = logging.getLogger(__name__)


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process is alive; nothing else is asked."""
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Say whether database, broker and worker can do their part, 503 unless all can, and how many texts wait.

    The reasons are our own words: an error's text may hold an address with its password, so that goes to the log.
    """
    reasons = {"database": database_trouble(), "broker": broker_trouble(), "worker": worker_trouble()}
    ready = not any(reasons.values())
    parts = {name: {"ok": not reason, "reason": reason} for name, reason in reasons.items()}
    return JsonResponse({"ready": ready, **parts, "texts": waiting_texts()}, status=200 if ready else 503)


def waiting_texts() -> dict[str, int] | None:
    """Return how many texts wait for a worker, and in queues that none takes; None where that cannot be known."""
    try:
        found = workload()
    except Error as error:
        logger.warning("The waiting texts cannot be counted: %s", error)
        return None
    return {"waiting": found.waiting, "without_worker": found.without_worker}


def database_trouble() -> str:
    """Return why the database cannot be used, or nothing."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        logger.warning("The database does not answer: %s", error)
        return "does not answer"
    return ""


def broker_trouble() -> str:
    """Return why the broker cannot be used, or nothing."""
    # Celery is loaded by the probes that ask for it.
    from kombu.exceptions import OperationalError

    from evalsite.celery import app

    try:
        # A server that hangs would take the probe with it: a socket has no limit of its own.
        limits = {"socket_timeout": BROKER_SECONDS, "socket_connect_timeout": BROKER_SECONDS}
        with app.connection_for_write(transport_options=limits) as broker:
            broker.ensure_connection(max_retries=0, timeout=BROKER_SECONDS)
    except (OperationalError, OSError) as error:
        logger.warning("The broker does not answer: %s", error)
        return "does not answer"
    return ""


def worker_trouble() -> str:
    """Return why no worker can be counted on, or nothing."""
    try:
        seen = Worker.objects.seen_lately().exists()
    except Error as error:
        logger.warning("The workers' reports cannot be read: %s", error)
        return "unknown: the reports cannot be read from the database"
    return "" if seen else "none has reported for 45 seconds"
