"""Setting a study up by the API: beginning and changing it, its criteria and material, and the steps to its launch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.access.permissions import Right, may_create, study_for
from annotations.models import ErrorCategory, ErrorSeverity, Study
from annotations.models.bounds import bounds_of
from annotations.models.protocols.spans import LARGEST_WEIGHT, MOST_CATEGORIES, MOST_SEVERITIES
from annotations.models.texts_by_language import longest_text
from annotations.protocols.table import PROTOCOLS, derived_choices
from annotations.questionnaire.api import CriterionSerializer
from annotations.recruiting.consent import read_questions
from annotations.setup.lifecycle import close_study, launch, pause, resume, sign_off
from annotations.setup.rubrics import (
    HIGHEST_SCORE,
    LOWEST_SCORE,
    MOST_CRITERIA,
    READY_MADE,
    TEXTS,
    checked_rubric,
    load_rubric,
)
from annotations.setup.studies_api import OneStudy, Studies, StudySerializer, study_response
from annotations.setup.study import (
    change_study,
    create_study,
    replace_criteria,
)
from annotations.text_serializers import StrictTexts, Texts
from generation.files.problems import Problems
from generation.genres import genre_choices
from generation.refusals import Refused
from generation.web.idempotency import IDEMPOTENCY_KEY, key_sent
from generation.web.once import make_once
from generation.web.rest import (
    Amount,
    Body,
    Share,
    UserRequest,
    checked_body,
)
from generation.web.schema import extend_schema


class NewStudyBody(StrictTexts):
    slug = serializers.SlugField(max_length=80, help_text="Its name in addresses, for good.")
    title = Texts(longest_text(Study, "title"), required=False)
    rubric = serializers.ChoiceField(
        choices=READY_MADE,
        default="poem",
        help_text="Ready-made criteria; PUT criteria/ takes those of your own rubric file.",
    )


class ChangeBody(StrictTexts):
    title = Texts(longest_text(Study, "title"), required=False)
    instructions = Texts(required=False)
    consent = Texts(required=False)
    interface_languages = serializers.ListField(
        child=serializers.CharField(max_length=35),
        required=False,
        help_text="In which languages evaluators can read the pages.",
    )
    questions = serializers.ListField(
        child=serializers.DictField(), required=False, help_text="The short form that comes with the consent."
    )
    contact = serializers.CharField(max_length=200, required=False, allow_blank=True)
    prompts_per_subtask = serializers.IntegerField(**bounds_of(Study, "prompts_per_subtask"), required=False)
    evaluators_per_subtask = serializers.IntegerField(
        **bounds_of(Study, "evaluators_per_subtask"), required=False, allow_null=True
    )
    subtasks_per_evaluator = serializers.IntegerField(
        **bounds_of(Study, "subtasks_per_evaluator"), required=False, allow_null=True
    )
    days_to_rate = serializers.IntegerField(**bounds_of(Study, "days_to_rate"), required=False)
    hours_to_give_back = serializers.IntegerField(**bounds_of(Study, "hours_to_give_back"), required=False)
    protocol = serializers.ChoiceField(
        choices=list(PROTOCOLS), required=False, help_text="What evaluators are asked on a page."
    )
    preference_scale = serializers.ChoiceField(
        choices=Study.PreferenceScale.choices,
        required=False,
        help_text="Of pairwise: left, equally good, right and both bad, or five steps.",
    )
    candidates_per_page = serializers.IntegerField(
        **bounds_of(Study, "candidates_per_page"),
        required=False,
        allow_null=True,
        help_text="How many of a prompt's texts share a page, in balanced blocks; null: all of them.",
    )
    reasons = serializers.ChoiceField(
        choices=Study.Reasons.choices,
        required=False,
        help_text="Where evaluators may write why they answer so.",
    )
    has_corrections = serializers.BooleanField(
        required=False, help_text="Whether evaluators may write how a text should have been."
    )
    has_best_picks = serializers.BooleanField(
        required=False, help_text="Whether a page asks for its best text, beside the ratings."
    )
    allows_missing_texts = serializers.BooleanField(
        required=False, help_text="Whether methods may lack texts for some prompts; set it before the upload."
    )
    inconsistency_threshold = Share(**bounds_of(Study, "inconsistency_threshold"), required=False)
    payment = Amount(**bounds_of(Study, "payment"), required=False)
    currency = serializers.CharField(
        **bounds_of(Study, "currency"), required=False, help_text="Three capital letters, such as CNY."
    )
    rendering = serializers.ChoiceField(
        choices=Study.Rendering.choices, required=False, help_text="How the texts stand on a page."
    )
    text_language = serializers.CharField(max_length=35, required=False, help_text="A tag of BCP 47.")
    normalisation = serializers.ChoiceField(
        choices=Study.Normalisation.choices,
        required=False,
        help_text="How what is shown is made of the texts as they were written; fixed with the material.",
    )

    def validate_questions(self, questions: list[dict[str, Any]]) -> Any:
        return read_questions(questions)


class CriterionBody(StrictTexts, CriterionSerializer):
    key = serializers.SlugField(max_length=40)
    minimum = serializers.IntegerField(
        min_value=LOWEST_SCORE, max_value=HIGHEST_SCORE, required=False, default=1
    )
    maximum = serializers.IntegerField(
        min_value=LOWEST_SCORE, max_value=HIGHEST_SCORE, required=False, default=5
    )
    is_overall = serializers.BooleanField(required=False, default=False)
    lower_is_better = serializers.BooleanField(required=False, default=False)
    rates_turns = serializers.BooleanField(
        required=False, default=False, help_text="Each turn of a text that is a dialogue is rated as well."
    )
    is_slider = serializers.BooleanField(required=False, default=False)
    derived = serializers.ChoiceField(
        choices=[("", "rated"), *derived_choices()],
        required=False,
        allow_blank=True,
        default="",
        help_text="What its scores are reckoned from, instead of being given.",
    )


class SeverityBody(StrictTexts):
    key = serializers.CharField(max_length=40)
    label = Texts(longest_text(ErrorSeverity, "label"))  # type: ignore[assignment]
    weight = serializers.FloatField(
        min_value=0, max_value=LARGEST_WEIGHT, help_text="The penalty of an error."
    )


class ErrorCategoryBody(StrictTexts):
    key = serializers.CharField(max_length=40)
    label = Texts(longest_text(ErrorCategory, "label"))  # type: ignore[assignment]
    description = Texts(longest_text(ErrorCategory, "description"), required=False)
    weight = serializers.FloatField(
        min_value=0, max_value=LARGEST_WEIGHT, default=1, help_text="Multiplies that of the severity."
    )
    penalties = serializers.DictField(
        child=serializers.FloatField(min_value=0, max_value=LARGEST_WEIGHT),
        required=False,
        help_text="Other penalties by severity.",
    )
    is_missing = serializers.BooleanField(default=False, help_text="Something that is not in the text.")


class RubricBody(StrictTexts):
    """A rubric file; of its words the study takes those of the criteria, and keeps its own title and instructions."""

    genre = serializers.ChoiceField(choices=genre_choices())
    title = Texts(TEXTS["title"], required=False)
    instructions = Texts(TEXTS["instructions"], required=False)
    instructions_without_picks = Texts(TEXTS["instructions_without_picks"], required=False)
    criteria = serializers.ListField(child=CriterionBody(), min_length=1, max_length=MOST_CRITERIA)
    protocol = serializers.CharField(max_length=20, required=False, help_text="One of those of a study.")
    severities = serializers.ListField(child=SeverityBody(), required=False, max_length=MOST_SEVERITIES)
    error_categories = serializers.ListField(
        child=ErrorCategoryBody(), required=False, max_length=MOST_CATEGORIES
    )


class StudiesAndNew(Studies):
    @extend_schema(
        operation_id="studies_create",
        summary="Begin a study as a draft, and become its owner",
        parameters=[IDEMPOTENCY_KEY],
        request=NewStudyBody,
        responses={201: StudySerializer},
    )
    def post(self, request: UserRequest) -> Response:
        if not may_create(request.user):
            raise PermissionDenied("You may not begin studies.")
        fields = checked_body(NewStudyBody, request)
        rubric = load_rubric(fields.pop("rubric"))
        study = make_once(
            key_sent(request),
            f"study by {request.user.pk}",
            lambda: create_study(rubric=rubric, by=request.user, **fields),
            Study.objects.all(),
        )
        return study_response(request.user, study.slug, status=status.HTTP_201_CREATED)


class ChangeableStudy(OneStudy):
    @extend_schema(
        operation_id="studies_change",
        summary="Change the words and rules of a study; what is left out stays",
        request=ChangeBody,
        responses=StudySerializer,
    )
    def patch(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        change_study(study, by=request.user, **checked_body(ChangeBody, request))
        return study_response(request.user, slug)


class Criteria(APIView):
    @extend_schema(
        operation_id="criteria_replace",
        summary="Ask by other criteria, while the study is a draft",
        request=RubricBody,
        responses=StudySerializer,
    )
    def put(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        fields = checked_body(RubricBody, request)
        lists = ("criteria", "severities", "error_categories")
        plain = {**fields, **{name: [dict(row) for row in fields[name]] for name in lists if name in fields}}
        replace_criteria(study, checked_rubric(plain, Problems("rubric")), by=request.user)
        return study_response(request.user, slug)


def step(act: Callable[..., Any], operation_id: str, summary: str) -> type[APIView]:
    """Return the view of an act in the life of a study that takes no body."""

    class Step(APIView):
        @extend_schema(operation_id=operation_id, summary=summary, request=None, responses=StudySerializer)
        def post(self, request: UserRequest, slug: str) -> Response:
            study = study_for(request.user, slug, Right.RUN)
            if act(study, by=request.user) is False:
                raise Refused("It is so already.")
            return study_response(request.user, slug)

    return Step


SignOff = step(sign_off, "sign_off", "Declare the material and the criteria right")
Pause = step(pause, "pause", "Take no answers for a time; deadlines stay as they are")
Resume = step(resume, "resume", "Take answers again after a pause")


class LaunchBody(Body):
    without_plan = serializers.BooleanField(
        default=False, help_text="Needed where no plan of the analysis is locked; the report says so."
    )


class Launch(APIView):
    @extend_schema(
        operation_id="launch",
        summary="Open a draft to its evaluators, for good",
        request=LaunchBody,
        responses=StudySerializer,
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        # Calls from before there was anything to say have no body, or null.
        says = request.content_type == "application/json" and request.data is not None
        launch(study, by=request.user, **(checked_body(LaunchBody, request) if says else {}))
        return study_response(request.user, slug)


class Close(APIView):
    @extend_schema(
        operation_id="close",
        summary="Close a study: no more answers, and the numbers are open",
        request=None,
        responses=StudySerializer,
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        if not close_study(study, staff=request.user):
            raise Refused("The study was not launched, or is closed already.")
        return study_response(request.user, slug)
