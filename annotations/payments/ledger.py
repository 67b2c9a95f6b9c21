"""What evaluators are owed: what is due and why not, approving it, marking it as paid.

A payment is due as soon as its evaluator has finished and is valid; the study need not be closed. Answers may still
change until the deadline: approving does not freeze them, it fixes the amount. Should the evaluator no longer be valid
afterwards, the list says so beside the approval, which can be taken back until it is paid.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from annotations.access.log import log_act
from annotations.models import Enrolment, EvaluatorGroup, Payment, Study
from annotations.models.bounds import check_text
from annotations.monitoring.evaluator_sums import EvaluatorSums, sums_by_evaluator
from generation.files.problems import listed
from generation.refusals import Refused
from stats.reports.numbers import exact_percent
from stats.reports.write_rows import Columns, Row, Value, csv_chunks

LONGEST_REFERENCE = 100

COLUMNS: Columns = {
    "study": "text",
    "evaluator": "text",
    "user": "text",
    "name": "text",
    "email": "text",
    "external_id": "text",
    "group": "text",
    "amount": "decimal",
    "currency": "text",
    "state": "text",
    "reason": "text",
    "approved_at": "time",
    "approved_by": "text",
    "paid_at": "time",
    "paid_by": "text",
    "reference": "text",
}


class State(models.TextChoices):
    """Where the payment of an evaluator stands."""

    NOT_DUE = "not_due", gettext_lazy("not due")
    DUE = "due", gettext_lazy("due")
    APPROVED = "approved", gettext_lazy("approved")
    PAID = "paid", gettext_lazy("paid")

    @classmethod
    def owed(cls) -> tuple[State, ...]:
        """Return the states in which something is or was owed, in their order."""
        return (cls.DUE, cls.APPROVED, cls.PAID)


@dataclass(frozen=True)
class Line:
    """One evaluator in the list of payments; `reason` says why nothing is due by the answers as they are now."""

    sums: EvaluatorSums
    group: EvaluatorGroup | None
    amount: Decimal
    currency: str
    state: State
    reason: str
    payment: Payment | None

    @property
    def enrolment(self) -> Enrolment:
        return self.sums.enrolment

    @property
    def is_in_doubt(self) -> bool:
        """Whether it is approved and would not be now."""
        return self.state == State.APPROVED and bool(self.reason)


@dataclass(frozen=True)
class Total:
    """What is owed in one group and currency."""

    group: EvaluatorGroup | None
    currency: str
    lines: tuple[Line, ...]

    def in_state(self, state: State) -> tuple[int, Decimal]:
        """Return how many evaluators are in a state, and the sum of their payments."""
        amounts = [line.amount for line in self.lines if line.state == state]
        return len(amounts), sum(amounts, Decimal("0.00"))


def payment_lines(study: Study) -> tuple[Line, ...]:
    """Return the payment of every evaluator of a study, in order of enrolment, with three queries."""
    payments = {
        payment.enrolment_id: payment
        for payment in Payment.objects.filter(enrolment__study=study).select_related(
            "enrolment", "approved_by", "paid_by"
        )
    }
    return tuple(payment_line(study, one, payments.get(one.enrolment.pk)) for one in sums_by_evaluator(study))


def payment_line(study: Study, sums: EvaluatorSums, payment: Payment | None) -> Line:
    """Return one evaluator's line."""
    group = sums.enrolment.group
    amount = study.payment if group is None or group.payment is None else group.payment
    reason = why_not_due(study, sums, amount)
    if payment is not None:
        return Line(sums, group, payment.amount, payment.currency, State(payment.state), reason, payment)
    state = State.NOT_DUE if reason else State.DUE
    return Line(sums, group, amount, study.currency, state, reason, None)


def why_not_due(study: Study, sums: EvaluatorSums, amount: Decimal) -> str:
    """Return why an evaluator is owed nothing by their answers as they are now; nothing where they are."""
    enrolment = sums.enrolment
    if enrolment.source != Enrolment.Source.QUESTIONNAIRE:
        return enrolment.get_source_display()
    if enrolment.withdrawn_at:
        return _("withdrew")
    if not sums.is_finished:
        return ngettext(
            "not finished: %(count)d answer is missing",
            "not finished: %(count)d answers are missing",
            sums.missing,
        ) % {"count": sums.missing}
    if not sums.is_valid:
        return _(
            "not valid: %(inconsistent)d of %(pages)d pages inconsistent, at most %(percent)s allowed"
        ) % {
            "inconsistent": sums.pages_inconsistent,
            "pages": sums.pages,
            "percent": exact_percent(float(study.inconsistency_threshold)),
        }
    if not amount:
        return _("nothing is paid in this study or group")
    return ""


def totals(lines: Sequence[Line]) -> tuple[Total, ...]:
    """Return the sums of the payments that are due, approved and paid, by group and currency."""
    found: dict[tuple[int, str], list[Line]] = defaultdict(list)
    for line in lines:
        if line.state != State.NOT_DUE:
            found[line.group.pk if line.group else 0, line.currency].append(line)
    return tuple(
        Total(of_group[0].group, currency, tuple(of_group))
        for (_group, currency), of_group in sorted(found.items())
    )


@transaction.atomic
def approve_payments(study: Study, evaluators: Collection[str], *, by: User | None) -> list[Payment]:
    """Approve the payments of these evaluators (pseudonyms) and return the new ones, or raise `Refused`.

    What is approved already stays as it is. If one of them is not due, none is approved. Without `by` it was done from
    the command line. The study's row is locked, because of two approvals at once only one makes the payment.
    """
    Study.objects.locked(study, no_key=True)
    lines = lines_of(payment_lines(study), evaluators)
    refuse_any([line for line in lines if line.state == State.NOT_DUE], _("not due"))
    approved = Payment.objects.bulk_create(
        Payment(enrolment=line.enrolment, amount=line.amount, currency=line.currency, approved_by=by)
        for line in lines
        if line.state == State.DUE
    )
    if approved:
        log_payments(study, by, "payment.approved", approved)
    return approved


@transaction.atomic
def mark_paid(
    study: Study, evaluators: Collection[str], *, by: User | None, reference: str = ""
) -> list[Payment]:
    """Mark the approved payments of these evaluators as paid and return them, or raise `Refused`.

    What is paid already stays as it is. If one of them is not approved, none is marked.
    """
    Study.objects.locked(study, no_key=True)
    check_text("reference", reference, longest=LONGEST_REFERENCE)
    paid = [line.payment for line in lines_to_pay(study, evaluators) if line.payment]
    Payment.objects.filter(pk__in=[payment.pk for payment in paid]).update(
        state=State.PAID, paid_at=Now(), paid_by=by, reference=reference.strip()
    )
    if paid:
        log_payments(study, by, "payment.paid", paid, reference=reference.strip())
    return paid


def lines_to_pay(study: Study, evaluators: Collection[str]) -> list[Line]:
    """Return the lines of these evaluators that are approved and not paid; raise `Refused` as `mark_paid`."""
    lines = lines_of(payment_lines(study), evaluators)
    refuse_any([line for line in lines if line.payment is None], _("not approved"))
    return [line for line in lines if line.state == State.APPROVED]


def sums(amounts: Iterable[tuple[Decimal, str]]) -> list[str]:
    """Return what amounts of several currencies come to, each with its currency."""
    summed: dict[str, Decimal] = defaultdict(Decimal)
    for amount, currency in amounts:
        summed[currency] += amount
    return [f"{amount} {currency}" for currency, amount in summed.items()]


@transaction.atomic
def revoke_approvals(study: Study, evaluators: Collection[str], *, by: User | None) -> list[Payment]:
    """Take the approvals of these evaluators' payments back and return them, or raise `Refused`.

    What is not approved stays as it is. If one of them is paid, none is taken back.
    """
    Study.objects.locked(study, no_key=True)
    lines = lines_of(payment_lines(study), evaluators)
    refuse_any([line for line in lines if line.state == State.PAID], _("paid already"))
    revoked = [line.payment for line in lines if line.payment]
    if revoked:
        log_payments(study, by, "payment.revoked", revoked)
    Payment.objects.filter(pk__in=[payment.pk for payment in revoked]).delete()
    return revoked


def lines_of(lines: Sequence[Line], evaluators: Collection[str]) -> list[Line]:
    """Return the lines of these evaluators; raise `Refused` where the study has no such evaluator."""
    by_pseudonym = {line.enrolment.pseudonym: line for line in lines}
    if unknown := sorted(set(evaluators) - by_pseudonym.keys()):
        raise Refused(_("The study has no evaluator %(evaluators)s.") % {"evaluators": listed(unknown)})
    return [by_pseudonym[pseudonym] for pseudonym in dict.fromkeys(evaluators)]


def refuse_any(lines: Sequence[Line], why: str) -> None:
    """Raise `Refused` for the evaluators of these lines, if there are any, each with its reason."""
    if lines:
        raise Refused("; ".join(f"{line.enrolment.pseudonym}: {line.reason or why}" for line in lines))


def log_payments(
    study: Study, by: User | None, act: str, payments: Sequence[Payment], **details: str
) -> None:
    """Log what was done to payments: whose, and how much together."""
    log_act(
        study,
        by,
        act,
        evaluators=[payment.enrolment.pseudonym for payment in payments],
        sum=sums((payment.amount, payment.currency) for payment in payments),
        **{name: value for name, value in details.items() if value},
    )


def payment_rows(study: Study, lines: Sequence[Line]) -> Iterator[Row]:
    """Yield the lines as rows of `COLUMNS`, for the finance office."""
    for line in lines:
        enrolment, payment = line.enrolment, line.payment
        evaluator = enrolment.evaluator
        yield (
            study.slug,
            enrolment.pseudonym,
            evaluator.get_username(),
            evaluator.get_full_name(),
            evaluator.email,
            enrolment.external_id,
            line.group.key if line.group else "",
            str(line.amount),
            line.currency,
            line.state.value,
            line.reason,
            *acts_on(payment),
        )


def acts_on(payment: Payment | None) -> tuple[Value, Value, Value, Value, Value]:
    """Return when and by whom a payment was approved and paid, and its reference."""
    if payment is None:
        return (None, None, None, None, None)
    return (
        payment.approved_at.isoformat(timespec="seconds"),
        actor_name(payment.approved_by),
        payment.paid_at.isoformat(timespec="seconds") if payment.paid_at else None,
        actor_name(payment.paid_by) if payment.paid_at else None,
        payment.reference,
    )


def payments_csv(study: Study, lines: Sequence[Line], *, by: User | None) -> Iterator[bytes]:
    """Return the lines as a CSV file that is safe in a spreadsheet, in chunks, and log the export."""
    log_act(study, by, "export.payments", evaluators=len(lines))
    return csv_chunks(COLUMNS, payment_rows(study, lines))


def actor_name(user: User | None) -> str:
    """Return who did something: a user, or the command line."""
    return user.get_username() if user else _("command line")
