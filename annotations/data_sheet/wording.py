"""The facts of a study in the words of its data sheet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from statistics import median
from typing import Any

from annotations.data_sheet.facts import Facts
from annotations.models import Study
from annotations.models.texts_by_language import TextsByLanguage
from annotations.monitoring.dashboard import Alpha
from annotations.recruiting.consent import Question


def payment_words(facts: Facts) -> str:
    """Say what a valid evaluator is paid, in each group."""
    study = facts.study
    rates = [(group.name.in_language("en"), group.payment_due()) for group in facts.groups]
    if not any([study.payment, *(rate for _, rate in rates)]):
        return "Not paid through the platform."
    words = f"Paid: {money(study.payment, study)} for a valid evaluator."
    return words + "".join(f" {name}: {money(rate, study)}." for name, rate in rates)


def money(amount: Decimal, study: Study) -> str:
    return f"{amount:.2f} {study.currency}"


def recruiting_words(facts: Facts) -> str:
    """Say by which of the platform's ways people came."""
    ways = []
    if facts.invitations:
        ways.append(f"{facts.invitations} personal invitations, {facts.mailed} of them sent by e-mail")
    if facts.open_links:
        panel = ", of people whom a panel sent" if facts.from_panel else ""
        ways.append(f"{facts.open_links} open links for up to {facts.places} people in all{panel}")
    return f"By {' and '.join(ways)}." if ways else "Enrolled by those who run the study."


def form_words(facts: Facts) -> str:
    """Sum up the short form: choices counted, numbers by their range; what was written freely is not repeated."""
    if not facts.study.questions:
        return "The evaluators were asked nothing about themselves."
    return "\n".join(
        (
            f"From the short form that {len(facts.forms)} filled in:\n",
            *(
                f"- {label(question)}: {summed_up(question, facts.forms)}"
                for question in facts.study.questions
            ),
        )
    )


def label(question: Question) -> str:
    return TextsByLanguage(question["label"]).in_language("en")


def summed_up(question: Question, forms: Sequence[dict[str, Any]]) -> str:
    """Return what was answered to a question, over everybody."""
    given = [form[question["key"]] for form in forms if question["key"] in form]
    if not given:
        return "not answered"
    if question["kind"] == "choice":
        counts = Counter(given)
        return ", ".join(f"{choice} {counts[choice]}" for choice in question["choices"])
    if question["kind"] == "number":
        return f"{min(given)} to {max(given)}, median {median(given):g} (of {len(given)})"
    return f"answered by {len(given)} in their own words"


def time_words(facts: Facts) -> str:
    """Say how freely evaluators share out their time, and who rates what."""
    study = facts.study
    words = (
        f"{study.days_to_rate} days from enrolment, no limit on a single page; evaluators may stop, come back, and"
        f" change answers until then. The {facts.prompts} prompts are divided into {facts.subtasks} sub-tasks."
    )
    if study.is_shared_out():
        return words + (
            f" Each sub-task is for {study.evaluators_per_subtask} evaluators, and an evaluator gets"
            f" {study.subtasks_per_evaluator} of them."
        )
    return f"{words} Everybody rates all of them."


def agreement_words(alpha: Alpha | None) -> str:
    """Say how far the evaluators agree on a criterion."""
    if alpha is None or alpha.ordinal is None:
        return "Not to be computed yet."
    return (
        f"Between evaluators: Krippendorff's alpha {alpha.ordinal:.2f} (ordinal) over {alpha.texts} texts that two or"
        " more have rated, whether their answers count or not. Within evaluators: not measured."
    )


def personal_data(asked: str) -> str:
    form = f" They are asked: {asked}." if asked else ""
    return (
        "Of evaluators the platform keeps the name of their account, and an e-mail address where they were invited by"
        f" one; only those who run the study see them.{form} Answers are exported under pseudonyms. Whoever withdraws"
        " is taken out with all answers, and so are name and address."
    )


def form_line(question: Question) -> str:
    choices = f": {', '.join(question['choices'])}" if question["choices"] else f" ({question['kind']})"
    needed = "" if question["is_required"] else ", optional"
    return f"{in_all_languages(question['label'])}{choices}{needed}"


def in_all_languages(texts: Mapping[str, str]) -> str:
    """Return a text in the languages that it was given in."""
    return " / ".join(TextsByLanguage(texts).values())


def quoted(text: str) -> str:
    """Return a text as a quotation, whose marks at the beginning of lines mean nothing any more."""
    return "\n".join(f"> {line}".rstrip() for line in lines_of(text))


def lines_of(text: str) -> Iterable[str]:
    return text.splitlines() or [""]
