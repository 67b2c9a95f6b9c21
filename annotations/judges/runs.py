"""Runs of a served judge: starting, stopping and taking one up, and how far each is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet
from django.utils.translation import gettext as _

from annotations.access.log import log_act
from annotations.judges.judges import MOST_JUDGES, check_methods
from annotations.judges.prompt import PROMPT_VERSION
from annotations.models import Judge, JudgeRun, JudgeUnit, Page, Study
from annotations.models.bounds import check_number, check_row
from annotations.questionnaire.order import williams_rows
from generation.models.copying import copy_rows
from generation.refusals import Refused
from generation.runs.notifications import send_tasks

MOST_ORDERS = 26
MOST_REPEATS = 20
MOST_TOKENS = 10_000_000_000
# Pages on which a text of nothing is planted.
PROBED_PAGES = 20
# By its name, because the task notifies in its turn.
ASK_JUDGE = "annotations.tasks.ask_judge"


@dataclass(frozen=True)
class Asking:
    """How a language model is asked to rate."""

    server: str
    orders: int = 2
    repeats: int = 1
    temperature: float = 0.0
    own_methods: tuple[str, ...] = ()


@transaction.atomic
def start_run(
    study: Study,
    key: str,
    asking: Asking,
    *,
    most_tokens: int,
    most_money: Decimal | None = None,
    probe: str = JudgeRun.Probe.NONE,
    by: User | None,
) -> JudgeRun:
    """Have a served language model rate the pages of a study, or one of its probes, and return the run.

    Raises ValidationError by field, and `Refused` for a server that is not set, a study without texts, a judge of this
    name that is another one, or one whose run is still under way.
    """
    server = settings.LANGUAGE_MODEL_SERVERS.get(asking.server)
    if server is None:
        raise Refused(
            _("%(server)s is no server of language models; there are %(known)s.")
            % {"server": asking.server, "known": ", ".join(settings.LANGUAGE_MODEL_SERVERS) or "–"}
        )
    check_number("orders", asking.orders, most=MOST_ORDERS)
    check_number("repeats", asking.repeats, most=MOST_REPEATS)
    check_number("most_tokens", most_tokens, most=MOST_TOKENS)
    if not 0 <= asking.temperature <= 2:
        raise Refused(_("The temperature must be from 0 to 2."))
    check_methods(study, asking.own_methods)
    if not study.criteria.rated().exists():
        raise Refused(_("This study has no criterion that texts are rated on."))
    Study.objects.locked(study, no_key=True)
    judge = _judge(study, key, asking, f"{server.model}, prompt {PROMPT_VERSION}", by)
    if JudgeRun.objects.filter(judge=judge, state=JudgeRun.State.OPEN).exists():
        raise Refused(_("A run of this judge is under way."))
    run = JudgeRun(judge=judge, probe=probe, most_tokens=most_tokens, most_money=most_money, started_by=by)
    check_row(run)
    run.save()
    _make_units(study, run, asking)
    log_act(study, by, "judge.asked", judge=judge.key, probe=probe, tokens=most_tokens)
    transaction.on_commit(notify)
    return run


def _judge(study: Study, key: str, asking: Asking, version: str, by: User | None) -> Judge:
    """Return the judge of a study that is asked so, begun if it is new."""
    facts = {name: value for name, value in asdict(asking).items() if name != "own_methods"}
    # Orders and repeats may grow, and make no other judge.
    what = {name: facts[name] for name in ("server", "temperature")}
    known = study.judges.filter(key=key).first()
    if known is None:
        if study.judges.count() >= MOST_JUDGES:
            raise Refused(_("A study has at most %(most)d judges.") % {"most": MOST_JUDGES})
        judge = Judge(
            study=study,
            key=key,
            label=key,
            kind=Judge.Kind.SERVED,
            version=version,
            saw_answers=Judge.SawAnswers.NO,
            own_methods=list(asking.own_methods),
            source=what,
            created_by=by,
        )
        check_row(judge)
        judge.save()
        return judge
    if known.kind != Judge.Kind.SERVED or known.source != what or known.version != version:
        raise Refused(_("The judge %(key)s is another one: take another name.") % {"key": key})
    return known


def _make_units(study: Study, run: JudgeRun, asking: Asking) -> None:
    """Save a unit for each page, order and repeat; further ones go on where earlier runs of the judge ended."""
    pages = list(
        Page.objects.counted()
        .filter(subtask__study=study, page_candidates__isnull=False)
        .distinct()
        .order_by("subtask__number", "number")
        .values_list("pk", flat=True)
    )
    if not pages:
        raise Refused(_("This study has no texts."))
    asked = dict(
        JudgeUnit.objects.filter(run__judge=run.judge, planted="")
        .values_list("page")
        .annotate(number=Max("number"))
    )
    rows: list[tuple[int, int, int, int, str]] = []
    if run.probe == JudgeRun.Probe.EMPTY:
        rows = [
            (run.pk, page, 1, 0, planted)
            for page in pages[:PROBED_PAGES]
            for planted in (JudgeUnit.Planted.EMPTY, JudgeUnit.Planted.POINT)
        ]
    else:
        for page in pages:
            first = asked.get(page, 0)
            # A probe of the order goes on with the orders that were not asked yet; one of repeats begins anew.
            shift = first if run.probe == JudgeRun.Probe.ORDER else 0
            rows += [
                (run.pk, page, first + 1 + order + repeat * asking.orders, shift + order, "")
                for repeat in range(asking.repeats)
                for order in range(asking.orders)
            ]
    copy_rows(
        JudgeUnit,
        (
            "run",
            "page",
            "number",
            "order",
            "planted",
            "state",
            "attempts",
            "error",
            "answer",
            "planted_scores",
        ),
        [(*row, JudgeUnit.State.WAITING, 0, "", "", {}) for row in rows],
    )


def orders_of(methods: int) -> int:
    """Return how many orders balance the places of so many texts."""
    return len(williams_rows(methods))


@transaction.atomic
def stop_run(run: JudgeRun, *, by: User | None) -> bool:
    """Stop a run; what it has stays, and it can be taken up. Return whether this call did so."""
    stopped = JudgeRun.objects.filter(pk=run.pk, state=JudgeRun.State.OPEN).update(
        state=JudgeRun.State.STOPPED, error=""
    )
    if stopped:
        log_act(run.judge.study, by, "judge.stopped", judge=run.judge.key)
    return bool(stopped)


@transaction.atomic
def take_up(
    run: JudgeRun, *, most_tokens: int | None = None, most_money: Decimal | None = None, by: User | None
) -> None:
    """Let a stopped run, or one with failed units, go on where it ended, with another budget if one is given."""
    locked = JudgeRun.objects.select_for_update().get(pk=run.pk)
    if locked.state == JudgeRun.State.OPEN:
        return
    if most_tokens is not None:
        check_number("most_tokens", most_tokens, most=MOST_TOKENS)
        locked.most_tokens = most_tokens
    if most_money is not None:
        locked.most_money = most_money
    check_row(locked)
    locked.units.filter(state=JudgeUnit.State.FAILED).update(
        state=JudgeUnit.State.WAITING, attempts=0, finished_at=None
    )
    locked.state, locked.error = JudgeRun.State.OPEN, ""
    locked.save(update_fields=["most_tokens", "most_money", "state", "error"])
    settle(locked)
    log_act(run.judge.study, by, "judge.asked", judge=run.judge.key, tokens=locked.most_tokens)
    transaction.on_commit(notify)


def settle(run: JudgeRun) -> None:
    """End a run whose units are all answered or failed; part of the caller's transaction."""
    locked = JudgeRun.objects.select_for_update().get(pk=run.pk)
    left = locked.units.filter(state__in=[JudgeUnit.State.WAITING, JudgeUnit.State.RUNNING])
    if locked.state == JudgeRun.State.OPEN and not left.exists():
        locked.state = JudgeRun.State.DONE
        locked.save(update_fields=["state"])


def runs_of(study: Study) -> QuerySet[JudgeRun]:
    """Return the runs of a study's judges, the latest first, with how many units each has, by what became of them."""
    return (
        JudgeRun.objects.filter(judge__study=study)
        .select_related("judge")
        .annotate(
            asked=Count("units"),
            answered=Count("units", filter=Q(units__state="done")),
            unread=Count("units", filter=Q(units__is_read=False)),
            failed=Count("units", filter=Q(units__state="failed")),
        )
        .order_by("-pk")
    )


def notify(times: int = 1) -> None:
    """Notify so many workers that a judge is to be asked; without a broker they find out when they next poll."""
    send_tasks(ASK_JUDGE, [()] * times, settings.CELERY_TASK_DEFAULT_QUEUE)
