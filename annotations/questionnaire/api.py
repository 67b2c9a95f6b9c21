"""What an evaluator does by the API: one's studies, a page of one, and an answer. Texts are named by tokens alone."""

from __future__ import annotations

import time
from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.models import Enrolment
from annotations.questionnaire import saving as judging
from annotations.questionnaire.forms import CRITERION, MAX_SCORE, MAX_SECONDS_ON_PAGE, TOKEN
from annotations.questionnaire.page import Card, Sheet, load_sheet
from annotations.questionnaire.progress import (
    PageProgress,
    Progress,
    StudyProgress,
    progress_of,
    study_progress,
)
from annotations.questionnaire.saving import MAX_CLIENT_ORDER, Answer, PageAddress, Receipt
from annotations.recruiting.consent import LONGEST_ANSWER, BadAnswers, give_consent, parse_answers
from annotations.recruiting.withdrawal import TooLate, withdraw
from annotations.setup.studies_api import CriterionSerializer, UserRequest
from generation.models import Prompt
from generation.web.rest import (
    Body,
    PageQuery,
    Refused,
    checked_body,
    checked_query,
    page_of,
    page_response,
    refusals,
)


class OwnStudySerializer(serializers.Serializer[Enrolment]):
    """A study that one rates."""

    slug = serializers.CharField(source="study.slug")
    title_en = serializers.CharField(source="study.title_en")
    title_zh = serializers.CharField(source="study.title_zh")
    deadline = serializers.DateTimeField()
    is_open = serializers.BooleanField(help_text="Answers are taken now.")
    answered = serializers.IntegerField(source="progress.answered")
    total = serializers.IntegerField(source="progress.total", help_text="Answers asked for.")


class PageProgressSerializer(serializers.Serializer[PageProgress]):
    subtask = serializers.IntegerField()
    page = serializers.IntegerField()
    answered = serializers.IntegerField()
    total = serializers.IntegerField()


class OwnStudyDetailSerializer(OwnStudySerializer):
    instructions_en = serializers.CharField(source="study.instructions_en")
    instructions_zh = serializers.CharField(source="study.instructions_zh")
    consent_en = serializers.CharField(source="study.consent_en")
    consent_zh = serializers.CharField(source="study.consent_zh")
    questions = serializers.JSONField(
        source="study.questions", help_text="The short form that comes with the consent."
    )
    needs_consent = serializers.BooleanField(help_text="Answers are taken once you have agreed.")
    contact = serializers.CharField(source="study.contact")
    criteria = CriterionSerializer(source="study.criteria", many=True)
    pages = PageProgressSerializer(many=True)


class PromptSerializer(serializers.ModelSerializer[Prompt]):
    class Meta:
        model = Prompt
        fields = ["genre", "text", "description"]


class CardSerializer(serializers.Serializer[Card]):
    """A text on a page."""

    token = serializers.CharField(help_text="Names this text on this page, to you alone.")
    letter = serializers.CharField()
    lines = serializers.ListField(child=serializers.CharField())
    scores = serializers.SerializerMethodField(
        help_text="Your scores by criterion; null where there is none yet."
    )
    is_best = serializers.BooleanField(help_text="You picked it as the best of the page.")

    def get_scores(self, card: Card) -> dict[str, int | None]:
        return {question.criterion.key: question.score for question in card.questions}


class SheetSerializer(serializers.Serializer[Sheet]):
    """A page to rate."""

    subtask = serializers.IntegerField(source="address.subtask")
    page = serializers.IntegerField(source="address.page")
    pages = serializers.IntegerField(help_text="Pages of this sub-task.")
    prompt = PromptSerializer()
    candidates = CardSerializer(source="cards", many=True)
    answered = serializers.IntegerField()
    total = serializers.IntegerField()
    saved_at = serializers.DateTimeField(allow_null=True)


class AnswerBody(Body):
    token = serializers.RegexField(rf"^{TOKEN.pattern}\Z", help_text="Of a text on this page.")
    order = serializers.IntegerField(
        min_value=1,
        max_value=MAX_CLIENT_ORDER,
        required=False,
        help_text="Of two answers to one question the one with the higher order stays; by default the time in ms.",
    )
    seconds = serializers.FloatField(
        min_value=0,
        max_value=MAX_SECONDS_ON_PAGE,
        required=False,
        allow_null=True,
        help_text="How long the page had been open.",
    )


class RatingBody(AnswerBody):
    criterion = serializers.RegexField(rf"^{CRITERION.pattern}\Z", help_text="Key of the criterion.")
    score = serializers.IntegerField(min_value=1, max_value=MAX_SCORE)


class BestBody(AnswerBody):
    pass


class ReceiptSerializer(serializers.Serializer[Receipt]):
    """What is stored now."""

    token = serializers.CharField()
    criterion = serializers.CharField(allow_null=True)
    score = serializers.IntegerField(allow_null=True)
    order = serializers.IntegerField(source="client_order")
    saved_at = serializers.DateTimeField()
    is_latest = serializers.BooleanField(
        help_text="False where a later answer was stored already, and stays."
    )


def with_progress(enrolment: Enrolment, progress: Progress) -> Enrolment:
    enrolment.progress = progress  # type: ignore[attr-defined]
    return enrolment


def own_enrolment(request: UserRequest, slug: str) -> Enrolment:
    """Return the user's part in a study; raise Http404 where they have none."""
    return get_object_or_404(Enrolment.objects.answering(request.user), study__slug=slug)


class OwnStudies(APIView):
    @extend_schema(
        operation_id="own_studies_list",
        summary="List the studies that you rate",
        parameters=[PageQuery],
        responses=page_of(OwnStudySerializer),
    )
    def get(self, request: UserRequest) -> Response:
        query = checked_query(PageQuery, request)
        found = Enrolment.objects.answering(request.user).order_by("-created_at", "-pk")

        def shown(rows: Any) -> Any:
            progress = progress_of(Enrolment.objects.filter(pk__in=[row.pk for row in rows]))
            found: Any = [with_progress(row, progress[row.pk]) for row in rows]
            return OwnStudySerializer(found, many=True).data

        return page_response(request, found, query, shown)


class OwnStudy(APIView):
    @extend_schema(
        operation_id="own_study",
        summary="Show a study that you rate: instructions, criteria, and how far each page is",
        responses=OwnStudyDetailSerializer,
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        enrolment = own_enrolment(request, slug)
        progress: StudyProgress = study_progress(enrolment)
        with_progress(enrolment, progress)
        enrolment.pages = [page for subtask in progress.subtasks for page in subtask.pages]  # type: ignore[attr-defined]
        return Response(OwnStudyDetailSerializer(enrolment).data)


class ConsentBody(Body):
    answers = serializers.DictField(
        child=serializers.CharField(max_length=LONGEST_ANSWER, allow_blank=True),
        required=False,
        default=dict,
        help_text="Answers to the study's short form by the questions' keys.",
    )


class ConsentSerializer(serializers.Serializer[Any]):
    changed = serializers.BooleanField(help_text="False where you had agreed before.")


class OwnConsent(APIView):
    @extend_schema(
        operation_id="own_consent",
        summary="Agree to take part, with the answers to the short form",
        request=ConsentBody,
        responses=ConsentSerializer,
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        study = own_enrolment(request, slug).study
        given = checked_body(ConsentBody, request)["answers"]
        try:
            answers = parse_answers(study.questions, given)
        except BadAnswers as error:
            raise Refused(str(error), fields={key: [said] for key, said in error.problems.items()}) from error
        return Response({"changed": give_consent(request.user, slug, answers)})


class WithdrawBody(Body):
    confirm = serializers.ChoiceField(choices=["withdraw"], help_text="The word: it cannot be undone.")


class WithdrawalSerializer(serializers.Serializer[Any]):
    removed = serializers.IntegerField(help_text="Answers that were removed.")


class OwnWithdrawal(APIView):
    @extend_schema(
        operation_id="own_withdrawal",
        summary="Leave a study: your answers and who you are, are removed",
        request=WithdrawBody,
        responses=WithdrawalSerializer,
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        enrolment = own_enrolment(request, slug)
        checked_body(WithdrawBody, request)
        with refusals(TooLate):
            return Response({"removed": withdraw(enrolment, by_evaluator=True)})


class OwnPage(APIView):
    @extend_schema(
        operation_id="own_page",
        summary="Show a page to rate, the texts in your order and what you have answered",
        responses=SheetSerializer,
    )
    def get(self, request: UserRequest, slug: str, subtask: int, page: int) -> Response:
        enrolment = own_enrolment(request, slug)
        if enrolment.needs_consent():
            raise Refused("Give your consent first: POST to consent/ of the study.")
        return Response(SheetSerializer(load_sheet(enrolment, subtask, page)).data)


class OwnRatings(APIView):
    @extend_schema(
        operation_id="own_rating_save",
        summary="Give a text a score on a criterion, or change it",
        request=RatingBody,
        responses=ReceiptSerializer,
    )
    def post(self, request: UserRequest, slug: str, subtask: int, page: int) -> Response:
        return save(request, PageAddress(slug, subtask, page), checked_body(RatingBody, request))


class OwnBest(APIView):
    @extend_schema(
        operation_id="own_best_save",
        summary="Pick a text as the best of its page, or change the pick",
        request=BestBody,
        responses=ReceiptSerializer,
    )
    def post(self, request: UserRequest, slug: str, subtask: int, page: int) -> Response:
        return save(request, PageAddress(slug, subtask, page), checked_body(BestBody, request))


def save(request: UserRequest, address: PageAddress, fields: dict[str, Any]) -> Response:
    """Save one answer and return what is stored now."""
    answer = Answer(
        token=fields["token"],
        client_order=fields.get("order", time.time_ns() // 1_000_000),
        criterion=fields.get("criterion"),
        score=fields.get("score"),
        seconds_on_page=fields.get("seconds"),
    )
    try:
        receipt = judging.save_answer(request.user, address, answer)
    except judging.UnknownPlace as error:
        raise Http404(str(error)) from error
    except judging.AnswerRefused as error:
        raise Refused(str(error)) from error
    return Response(ReceiptSerializer(receipt).data)
