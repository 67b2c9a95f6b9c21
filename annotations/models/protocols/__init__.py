"""What evaluators answer beside ratings, picks and judgements, and all kinds of answers in one place."""

from __future__ import annotations

from django.db import models

from annotations.models.answers import AnswerChange, BestChoice, Judgement, Rating
from annotations.models.protocols.checklists import ChecklistAnswer
from annotations.models.protocols.spans import Marking
from annotations.models.protocols.turns import TurnRating
from annotations.models.protocols.written import WrittenAnswer

# Answers about single texts have an enrolment and a candidate, those about pages an enrolment and a page.
OF_TEXTS: tuple[type[models.Model], ...] = (Rating, ChecklistAnswer, TurnRating, Marking)
OF_PAGES: tuple[type[models.Model], ...] = (BestChoice, Judgement, WrittenAnswer)
ANSWERS = OF_TEXTS + OF_PAGES
WITH_HISTORY: tuple[type[models.Model], ...] = (*ANSWERS, AnswerChange)
