"""What evaluators agree to before their first page, and the short form that comes with it.

`Study.questions` is a list of questions, each an object with exactly these keys:

- `key`: a slug, under which the answers are stored; each once
- `kind`: `text` (a line of at most 200 characters), `number` (a whole number from 0 to 1,000,000) or `choice`
- `label`: the question by language of the interface, in one of them at least
- `choices`: for `choice` two to twenty different texts, of which one is chosen; otherwise an empty list
- `is_required`: whether it must be answered
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from annotations.models import Enrolment
from annotations.models.texts_by_language import TextsByLanguage, gathered, language_codes, unknown_language
from generation.files.problems import listed
from generation.refusals import Refused
from generation.texts.characters import UNSTORABLE

Question = dict[str, Any]

QUESTION_KEYS = {"key", "kind", "label", "choices", "is_required"}
KINDS = ("text", "number", "choice")
KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
MOST_QUESTIONS = 20
FEWEST_CHOICES, MOST_CHOICES = 2, 20
LONGEST_LABEL = 300
LONGEST_CHOICE = 100
LONGEST_ANSWER = 200
LARGEST_NUMBER = 1_000_000


class BadAnswers(Refused):
    """A form that was not filled in as it must be; `fields` has a message for each question's key."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.fields = {key: [said] for key, said in problems.items()}
        super().__init__(*problems.values())


def read_questions(questions: Any) -> Any:
    """Return questions as they are sent, those with `label_en` and its like with one `label`."""
    if not isinstance(questions, list):
        return questions
    return [gathered(one, ["label"]) if isinstance(one, dict) else one for one in questions]


def check_questions(questions: object) -> list[Question]:
    """Return the questions of a study's form as they may be stored; raise `Refused`."""
    if not isinstance(questions, list):
        raise Refused(_("The questions must be a list."))
    if len(questions) > MOST_QUESTIONS:
        raise Refused(
            _("A form has at most %(most)d questions; these are %(count)d.")
            % {"most": MOST_QUESTIONS, "count": len(questions)}
        )
    messages: list[str] = []
    keys: set[str] = set()
    for number, question in enumerate(questions, start=1):
        problem = problem_of(question)
        if not problem and question["key"] in keys:
            problem = _("the key %(key)s is taken by another question.") % {"key": question["key"]}
        if problem:
            messages.append(_("Question %(number)d: %(problem)s") % {"number": number, "problem": problem})
        else:
            keys.add(question["key"])
    if messages:
        raise Refused(*messages)
    return questions


def problem_of(question: object) -> str:
    """Return what is wrong with a question, or nothing."""
    if not isinstance(question, dict) or question.keys() != QUESTION_KEYS:
        return _("it must have exactly these parts: %(keys)s.") % {"keys": listed(sorted(QUESTION_KEYS))}
    if not isinstance(question["key"], str) or not KEY.fullmatch(question["key"]):
        return _("its key must be small letters, digits, - and _, at most 40 of them.")
    if question["kind"] not in KINDS:
        return _("its kind must be one of %(kinds)s.") % {"kinds": listed(KINDS)}
    if problem := problem_of_label(question["label"]):
        return problem
    if not isinstance(question["is_required"], bool):
        return _("whether it is required must be true or false.")
    return problem_of_choices(question["kind"], question["choices"])


def problem_of_label(labels: object) -> str:
    """Return what is wrong with the label of a question, or nothing."""
    if not isinstance(labels, dict):
        return _("its label must be a text by language.")
    if unknown := [code for code in labels if code not in language_codes()]:
        return unknown_language(str(unknown[0]))
    if not all(isinstance(label, str) and len(label) <= LONGEST_LABEL for label in labels.values()):
        return _("its labels must be text of at most %(most)d characters.") % {"most": LONGEST_LABEL}
    if any(map(UNSTORABLE.search, labels.values())):
        return _("its labels have a character that is none.")
    if not any(label.strip() for label in labels.values()):
        return _("it needs a label in one of the languages.")
    return ""


def problem_of_choices(kind: str, choices: object) -> str:
    """Return what is wrong with the choices of a question of a kind, or nothing."""
    if not isinstance(choices, list):
        return _("its choices must be a list.")
    if kind != "choice":
        return _("only a question of the kind choice has choices.") if choices else ""
    if not all(
        isinstance(one, str) and one == one.strip() and 0 < len(one) <= LONGEST_CHOICE for one in choices
    ):
        return _("its choices must be texts of at most %(most)d characters, without spaces around them.") % {
            "most": LONGEST_CHOICE
        }
    if any(map(UNSTORABLE.search, choices)):
        return _("its choices have a character that is none.")
    if not FEWEST_CHOICES <= len(choices) <= MOST_CHOICES or len(set(choices)) < len(choices):
        return _("it needs %(fewest)d to %(most)d different choices.") % {
            "fewest": FEWEST_CHOICES,
            "most": MOST_CHOICES,
        }
    return ""


def label_of(question: Question) -> str:
    """Return a question in the reader's language."""
    return TextsByLanguage(question["label"]).in_current_language()


def parse_answers(questions: Sequence[Question], data: Mapping[str, Any]) -> dict[str, str | int]:
    """Return the answers in `data`, by the questions' keys, without those left empty; raise `BadAnswers`.

    Numbers come back as numbers. What is in `data` beside the questions is left out.
    """
    answers: dict[str, str | int] = {}
    problems = {}
    for question in questions:
        key = question["key"]
        given = "" if data.get(key) is None else str(data[key]).strip()
        if not given:
            if question["is_required"]:
                problems[key] = _("Answer this question.")
        elif question["kind"] != "number" and not isinstance(data[key], str):
            problems[key] = _("Text is wanted here.")
        elif UNSTORABLE.search(given) or len(given) > LONGEST_ANSWER:
            problems[key] = _("Answer in at most %(most)d characters.") % {"most": LONGEST_ANSWER}
        elif question["kind"] == "number":
            if given.isascii() and given.isdecimal() and int(given) <= LARGEST_NUMBER:
                answers[key] = int(given)
            else:
                problems[key] = _("Give a whole number from 0 to %(most)s.") % {"most": f"{LARGEST_NUMBER:,}"}
        elif question["kind"] == "choice" and given not in question["choices"]:
            problems[key] = _("Choose one of the answers.")
        else:
            answers[key] = given
    if problems:
        raise BadAnswers(problems)
    return answers


def give_consent(evaluator: User, slug: str, answers: Mapping[str, str | int]) -> bool:
    """Store that an evaluator agrees, with their answers to the form; only once. Return whether this call did so."""
    return (
        Enrolment.objects.filter(
            evaluator=evaluator, study__slug=slug, consented_at=None, withdrawn_at=None
        ).update(consented_at=Now(), form_answers=dict(answers))
        == 1
    )
