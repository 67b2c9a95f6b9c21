"""Asking a judge: a worker takes one page under a lease, asks outside any transaction, and hands the scores in."""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import override

from annotations.judges.prompt import AskedCriterion, messages, read_answer, schema
from annotations.judges.runs import MOST_TOKENS, notify, settle
from annotations.models import JudgeRating, JudgeRun, JudgeUnit, Page, PageCandidate, Study
from annotations.models.judge_runs import correct_spent, spend
from annotations.questionnaire.order import balanced_order
from generation.engines.asking import ask
from generation.engines.dialects import answer_by_schema, answer_of
from generation.engines.servers import Server
from generation.models import EngineAnswer, LeaseLost
from generation.orders import OrderRefused
from generation.refusals import Refused
from generation.runs.notifications import idle_slots
from generation.runs.writing import held, retry
from generation.texts.characters import UNSTORABLE

# Of an answer: a letter, a key and a score each.
TOKENS_A_SCORE = 40
LEAST_ANSWER = 200
# Characters of an answer that are kept; a longer one is cut, and cannot be read then.
LONGEST_ANSWER = 100_000
PATH = "/v1/chat/completions"

logger = logging.getLogger(__name__)


class BudgetSpent(Refused):
    """The next page would take more than the budget of the run has."""


@dataclass(frozen=True)
class Sheet:
    """What one unit asks: the candidates in their order, empty for a planted text, and the request."""

    candidates: tuple[PageCandidate | None, ...]
    criteria: tuple[AskedCriterion, ...]
    body: dict[str, Any]
    server: Server

    @property
    def key(self) -> str:
        """A digest of all that is asked, and of whom: the same again is answered from what is known."""
        said = json.dumps(
            [self.server.name, self.server.facts, self.body], ensure_ascii=False, sort_keys=True
        )
        return hashlib.sha256(f"judge {said}".encode()).hexdigest()

    @property
    def most_tokens(self) -> int:
        """The tokens that are sent and asked for at most: no tokenizer has more than one a byte."""
        return self.prompt_tokens + int(self.body["max_tokens"])

    @property
    def prompt_tokens(self) -> int:
        # With the schema and what marks each message, which a server may count as well.
        return len(json.dumps(self.body, ensure_ascii=False).encode())


def ask_next() -> bool:
    """Ask a judge for the next page that waits, and return whether there was one."""
    unit = claim()
    if unit is None or unit.lease is None:
        return False
    pk, lease = unit.pk, unit.lease
    try:
        with held(lambda: JudgeUnit.objects.renew(pk, lease), str(unit)):
            do(unit, lease)
    except LeaseLost as lost:
        logger.warning("Nothing was stored: %s", lost)
    except BudgetSpent as spent:
        put_back(unit, lease, str(spent))
    except Exception as error:
        logger.warning("Unit %d of a judge could not be asked", pk, exc_info=True)
        give_up(unit, lease, error)
    return True


@transaction.atomic
def claim() -> JudgeUnit | None:
    """Take the next unit of all runs under way, or return None where there is none free."""
    return JudgeUnit.objects.to_ask().select_related("run__judge__study").order_by("attempts", "pk").claim()


def do(unit: JudgeUnit, lease: uuid.UUID) -> None:
    """Ask for one page and hand in what was answered; raise `BudgetSpent` before anything is sent."""
    run = unit.run
    server = settings.LANGUAGE_MODEL_SERVERS.get(run.judge.source["server"])
    if server is None:
        raise OrderRefused(f"model: {run.judge.source['server']} is no server of this site any more")
    sheet = sheet_of(unit, server)
    answer = asked(run, server, sheet)
    retry(lambda: hand_in(unit, lease, sheet, answer))


def asked(run: JudgeRun, server: Server, sheet: Sheet) -> str:
    """Return what the model answers, from what is known where it was asked the same before."""
    known = EngineAnswer.objects.filter(key=sheet.key).values_list("answer", flat=True).first()
    if known is not None:
        return str(known)
    counted = price(server, sheet.prompt_tokens, int(sheet.body["max_tokens"]))

    def count(was_turned_away: bool) -> None:
        # What the engine turned away as too many it did not answer: nobody pays for it.
        if not was_turned_away and not spend(run, tokens=sheet.most_tokens, money=counted):
            raise BudgetSpent(_("The budget of this run is used up; give it a larger one to go on."))

    count(False)
    said = ask(server, PATH, sheet.body, before_again=count)
    with answer_of(server):
        content = said["choices"][0]["message"]["content"]
        answer = storable(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False))
    # Kept at once: a worker that is lost after this pays for it no second time.
    EngineAnswer.objects.bulk_create([EngineAnswer(key=sheet.key, answer=answer)], ignore_conflicts=True)
    used = used_tokens(said)
    if used is not None:
        correct_spent(run, tokens=sheet.most_tokens - sum(used), money=counted - price(server, *used))
    return answer


def storable(answer: str) -> str:
    """Return an answer as the database can keep it: of bounded length, without zero bytes and halves of characters."""
    return UNSTORABLE.sub("\ufffd", answer[:LONGEST_ANSWER])


def used_tokens(said: Any) -> tuple[int, int] | None:
    """Return the tokens sent and answered by a server's own account, None where it gives none that can be."""
    usage = said.get("usage") if isinstance(said, dict) else None
    if not isinstance(usage, dict):
        return None
    used = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if all(type(one) is int and 0 <= one <= MOST_TOKENS for one in used):
        return used  # type: ignore[return-value]
    return None


def price(server: Server, prompt_tokens: int, answer_tokens: int) -> Decimal:
    """Return what tokens cost by the server's prices a million."""
    millionths = (
        Decimal(str(server.price_in)) * prompt_tokens + Decimal(str(server.price_out)) * answer_tokens
    )
    # As the database keeps it: what is taken back later is then what was counted.
    return (millionths / 1_000_000).quantize(Decimal("0.000001"), ROUND_UP)


def sheet_of(unit: JudgeUnit, server: Server) -> Sheet:
    """Return what a unit asks: the page as evaluators see it, in the study's first language."""
    study = unit.run.judge.study
    page = Page.objects.select_related("prompt").get(pk=unit.page_id)
    shown = list(
        page.page_candidates.select_related("candidate", "study_method").order_by("study_method__number")
    )
    order = balanced_order(
        seed=study.order_seed, evaluator=unit.order, page=f"judge {page.pk}", methods=len(shown)
    )
    candidates: list[PageCandidate | None] = [shown[place] for place in order]
    texts = [study.shown(one.candidate.text) for one in candidates if one is not None]
    if unit.planted:
        candidates[0] = None
        texts[0] = "" if unit.planted == JudgeUnit.Planted.EMPTY else "."
    with override(study.interface_languages[0]):
        criteria = asked_criteria(study)
        said = messages(
            str(study.instructions), criteria, study.shown_prompt(page.prompt.content.whole_text()), texts
        )
    body = {
        "model": server.model,
        "messages": said,
        "max_tokens": LEAST_ANSWER + TOKENS_A_SCORE * len(texts) * len(criteria),
        "temperature": unit.run.judge.source["temperature"],
        # Another one for each repeat, which would be the same answer otherwise.
        "seed": unit.number,
        **answer_by_schema(server, "scores", schema(criteria, len(texts))),
    }
    return Sheet(tuple(candidates), criteria, body, server)


def asked_criteria(study: Study) -> tuple[AskedCriterion, ...]:
    """Return the criteria of a study in the words of the active language."""
    return tuple(
        AskedCriterion(
            key=one.key,
            label=str(one.label),
            question=str(one.question),
            low=str(one.low),
            high=str(one.high),
            minimum=one.minimum,
            maximum=one.maximum,
            is_whole=float(one.minimum).is_integer() and float(one.maximum).is_integer(),
        )
        for one in study.criteria.rated()
    )


@transaction.atomic
def hand_in(unit: JudgeUnit, lease: uuid.UUID, sheet: Sheet, answer: str) -> None:
    """Store an answer and its scores, if the lease still holds; raise `LeaseLost` otherwise.

    What cannot be read is kept as it came and counted.
    """
    scores = read_answer(answer, sheet.criteria, len(sheet.candidates))
    planted = {}
    if unit.planted and scores is not None:
        planted = dict(scores[0])
    JudgeUnit.objects.hand_in(
        unit.pk,
        lease,
        state=JudgeUnit.State.DONE,
        finished_at=Now(),
        answer=answer,
        is_read=scores is not None,
        planted_scores=planted,
    )
    if scores is not None and not unit.planted:
        keys = dict(unit.run.judge.study.criteria.values_list("key", "pk"))
        JudgeRating.objects.bulk_create(
            JudgeRating(
                judge=unit.run.judge,
                page_candidate=one,
                study_method_id=one.study_method_id,
                criterion_id=keys[key],
                repeat=unit.number,
                position=place,
                score=score,
            )
            for place, (one, own) in enumerate(zip(sheet.candidates, scores, strict=True), start=1)
            if one is not None
            for key, score in own.items()
        )
    settle(unit.run)


@transaction.atomic
def put_back(unit: JudgeUnit, lease: uuid.UUID, reason: str) -> None:
    """Let go of a unit that the budget has no more for, and stop its run."""
    JudgeUnit.objects.held(unit.pk, lease).update(
        state=JudgeUnit.State.WAITING, lease=None, leased_until=None, attempts=unit.attempts
    )
    JudgeRun.objects.filter(pk=unit.run_id, state=JudgeRun.State.OPEN).update(
        state=JudgeRun.State.STOPPED, error=reason
    )


@transaction.atomic
def give_up(unit: JudgeUnit, lease: uuid.UUID, error: BaseException) -> None:
    """Put a unit back that could not be asked, with the reason; after three attempts, or if refused, it has failed."""
    if JudgeUnit.objects.give_up(unit.pk, lease, error, is_final=isinstance(error, OrderRefused)):
        settle(unit.run)


def poll() -> None:
    """Fail units whose workers were lost three times, and notify idle workers where units wait."""
    with transaction.atomic():
        for run in {unit.run_id: unit.run for unit in JudgeUnit.objects.fail_lost()}.values():
            settle(run)
    waiting = JudgeUnit.objects.to_ask().count()
    if waiting:
        notify(min(waiting, max(0, idle_slots(settings.CELERY_TASK_DEFAULT_QUEUE))))
