"""Studies: who rates which candidates by which criteria, and what they answered."""

from __future__ import annotations

from annotations.models.answers import (
    AnswerChange,
    Assignment,
    BestChoice,
    Enrolment,
    EnrolmentQuerySet,
    Judgement,
    Placement,
    Rating,
)
from annotations.models.imports import RatingImport, RepeatedRating
from annotations.models.jobs import Job, JobFilePart
from annotations.models.judge_runs import JudgeRun, JudgeUnit
from annotations.models.judges import DrawnPrompt, Judge, JudgeRating, PromptDraw
from annotations.models.page_sums import PageSums
from annotations.models.pages import Page, PageCandidate, StudyRun, Subtask
from annotations.models.payments import Payment
from annotations.models.planning import SHORTEST_REASON, AnalysisPlan, Unblinding
from annotations.models.protocols.checklists import ChecklistAnswer, ChecklistItem
from annotations.models.protocols.spans import ErrorCategory, ErrorSeverity, Marking, Span
from annotations.models.protocols.turns import TurnRating
from annotations.models.protocols.written import WrittenAnswer
from annotations.models.quality_control import KnownAnswer, PageEvent, QualityControl, TrainingAttempt
from annotations.models.recruitment import (
    EvaluatorGroup,
    Invitation,
    LinkAccount,
    OpenLink,
    Reminder,
    ReturnLink,
)
from annotations.models.roles import StaffAct, StudyRole
from annotations.models.sharing import ReportLink
from annotations.models.study import Criterion, Study, StudyQuerySet
from annotations.models.study_methods import StudyMethod, method_label
from annotations.models.waiting import WaitingFile, WaitingUpload

__all__ = [
    "SHORTEST_REASON",
    "AnalysisPlan",
    "AnswerChange",
    "Assignment",
    "BestChoice",
    "ChecklistAnswer",
    "ChecklistItem",
    "Criterion",
    "DrawnPrompt",
    "Enrolment",
    "EnrolmentQuerySet",
    "ErrorCategory",
    "ErrorSeverity",
    "EvaluatorGroup",
    "Invitation",
    "Job",
    "JobFilePart",
    "Judge",
    "JudgeRating",
    "JudgeRun",
    "JudgeUnit",
    "Judgement",
    "KnownAnswer",
    "LinkAccount",
    "Marking",
    "OpenLink",
    "Page",
    "PageCandidate",
    "PageEvent",
    "PageSums",
    "Payment",
    "Placement",
    "PromptDraw",
    "QualityControl",
    "Rating",
    "RatingImport",
    "Reminder",
    "RepeatedRating",
    "ReportLink",
    "ReturnLink",
    "Span",
    "StaffAct",
    "Study",
    "StudyMethod",
    "StudyQuerySet",
    "StudyRole",
    "StudyRun",
    "Subtask",
    "TrainingAttempt",
    "TurnRating",
    "Unblinding",
    "WaitingFile",
    "WaitingUpload",
    "WrittenAnswer",
    "method_label",
]
