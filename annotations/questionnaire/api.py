"""What an evaluator does by the API: one's studies, a page of one, and an answer. Texts are named by tokens alone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.models import Criterion, Enrolment
from annotations.models.bounds import MOST_CANDIDATES_PER_PAGE
from annotations.models.texts_by_language import longest_text
from annotations.protocols.protocol import Option
from annotations.questionnaire.cards import Card
from annotations.questionnaire.checklists.questions import ChecklistQuestion
from annotations.questionnaire.forms import CRITERION, MAX_SCORE, MAX_SECONDS_ON_PAGE, TOKEN
from annotations.questionnaire.judged_questions import JudgedQuestion
from annotations.questionnaire.judging import JudgementReceipt, SentJudgement, save_judgement
from annotations.questionnaire.marking.serializers import ErrorKindSerializer, MarkingSerializer
from annotations.questionnaire.page import RatingPage, load_page
from annotations.questionnaire.progress import PageProgress, Progress, progress_of, study_progress
from annotations.questionnaire.saving import MAX_CLIENT_ORDER, Answer, PageAddress, Receipt
from annotations.questionnaire.turns.saving import save_score
from annotations.questionnaire.written.fields import WrittenField
from annotations.text_serializers import Texts
from generation.refusals import Refused
from generation.web.rest import (
    Body,
    PageQuery,
    UserRequest,
    checked_body,
    checked_query,
    page_of,
    page_response,
)
from generation.web.schema import extend_schema


class CriterionSerializer(serializers.ModelSerializer[Criterion]):
    label = Texts(longest_text(Criterion, "label"))  # type: ignore[assignment]
    question = Texts(longest_text(Criterion, "question"), required=False)
    low = Texts(longest_text(Criterion, "low"), required=False)
    high = Texts(longest_text(Criterion, "high"), required=False)

    class Meta:
        model = Criterion
        fields = [
            "key",
            "label",
            "question",
            *("low", "high", "minimum", "maximum"),
            "is_overall",
            "lower_is_better",
            "is_slider",
            "rates_turns",
            "derived",
        ]


@dataclass(frozen=True)
class OwnPart:
    """A user's part in a study, and how far they are with it."""

    enrolment: Enrolment
    progress: Progress
    pages: Sequence[PageProgress] = ()
    training: Sequence[PageProgress] = ()


class OwnStudySerializer(serializers.Serializer[OwnPart]):
    """A study that one rates."""

    slug = serializers.CharField(source="enrolment.study.slug")
    title = Texts(source="enrolment.study.title")
    deadline = serializers.DateTimeField(source="enrolment.deadline")
    is_open = serializers.BooleanField(source="enrolment.is_open", help_text="Answers are taken now.")
    answered = serializers.IntegerField(source="progress.answered")
    total = serializers.IntegerField(source="progress.total", help_text="Answers asked for.")


class PageProgressSerializer(serializers.Serializer[PageProgress]):
    subtask = serializers.IntegerField()
    page = serializers.IntegerField()
    answered = serializers.IntegerField()
    total = serializers.IntegerField()


class OwnStudyDetailSerializer(OwnStudySerializer):
    instructions = Texts(source="enrolment.study.instructions")
    consent = Texts(source="enrolment.study.consent")
    questions = serializers.JSONField(
        source="enrolment.study.questions", help_text="The short form that comes with the consent."
    )
    needs_consent = serializers.BooleanField(
        source="enrolment.needs_consent", help_text="Answers are taken once you have agreed."
    )
    contact = serializers.CharField(source="enrolment.study.contact")
    criteria = CriterionSerializer(source="enrolment.study.criteria", many=True)
    pages = PageProgressSerializer(many=True)
    training = PageProgressSerializer(
        many=True,
        help_text="Pages of the training round, in sub-task 0: see training/. Where it has a passing mark, none others"
        " are there before it is passed.",
    )


class PartSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    text = serializers.CharField(trim_whitespace=False)


class TurnSerializer(serializers.Serializer[Any]):
    role = serializers.CharField()
    text = serializers.CharField(trim_whitespace=False)


class PromptSerializer(serializers.Serializer[RatingPage]):
    """All that a prompt gives to read, as the study's rule shows it."""

    text = serializers.CharField(source="shown_text")
    description = serializers.CharField()
    parts = PartSerializer(source="shown_parts", many=True)
    turns = TurnSerializer(source="shown_turns", many=True)
    genre = serializers.CharField(source="prompt.genre")


class CardSerializer(serializers.Serializer[Card]):
    """A text on a page."""

    token = serializers.CharField(help_text="Names this text on this page, to you alone.")
    letter = serializers.CharField()
    text = serializers.CharField(trim_whitespace=False, help_text="As the study's rule shows it.")
    lines = serializers.ListField(
        child=serializers.CharField(), help_text="Its lines without blank ones and indentation."
    )
    marking = serializers.SerializerMethodField(
        help_text="The errors you marked in this text, and whether they are all; null where none are marked."
    )
    scores = serializers.SerializerMethodField(
        help_text="Your scores by criterion, or answers by item of the checklist; null where there is none yet."
    )
    is_best = serializers.BooleanField(help_text="You picked it as the best of the page.")

    @extend_schema_field(MarkingSerializer(allow_null=True))
    def get_marking(self, card: Card) -> Any:
        return None if card.marking is None else MarkingSerializer(card.marking).data

    def get_scores(self, card: Card) -> dict[str, float | None]:
        return {question.key: question.score for question in card.questions}


class OptionSerializer(serializers.Serializer[Option]):
    number = serializers.IntegerField()
    label = serializers.CharField()  # type: ignore[assignment]


class JudgedQuestionSerializer(serializers.Serializer[JudgedQuestion]):
    """A criterion that is asked about all texts of a page together."""

    criterion = serializers.CharField(source="criterion.key")
    options = OptionSerializer(many=True, help_text="Answers to choose from by number; none for an order.")
    places = serializers.IntegerField(
        help_text="How many texts are chosen in an order; 0 where there are options."
    )
    number = serializers.IntegerField(allow_null=True, help_text="The option you chose.")
    chosen = serializers.SerializerMethodField(help_text="Tokens of the texts you chose, in their order.")

    def get_chosen(self, question: JudgedQuestion) -> list[str]:
        return [card.token for card in question.chosen]


class ItemSerializer(serializers.Serializer[ChecklistQuestion]):
    """An item of a checklist; `key` names it in answers."""

    key = serializers.CharField()
    text = Texts(source="label")
    options = OptionSerializer(many=True, help_text="Answers to choose from by number.")


class WrittenFieldSerializer(serializers.Serializer[WrittenField]):
    """A reason or a corrected text; `text` is yours where `is_written`."""

    kind = serializers.CharField()
    token = serializers.CharField()
    letter = serializers.CharField(help_text="Of the text that it is about; empty for the page.")
    text = serializers.CharField()
    is_written = serializers.BooleanField()


class RatingPageSerializer(serializers.Serializer[RatingPage]):
    """A page to rate."""

    subtask = serializers.IntegerField(source="address.subtask")
    page = serializers.IntegerField(source="address.page")
    pages = serializers.IntegerField(help_text="Pages of this sub-task.")
    prompt = PromptSerializer(source="*")
    rendering = serializers.CharField(source="study.rendering", help_text="plain, markdown or code.")
    protocol = serializers.CharField(source="study.protocol", help_text="What the page asks.")
    candidates = CardSerializer(source="cards", many=True)
    judged = JudgedQuestionSerializer(many=True, help_text="Questions about the page; none by ratings.")
    checklist = ItemSerializer(
        source="items", many=True, help_text="Items asked about each text; none by other protocols."
    )
    written = WrittenFieldSerializer(
        source="all_written", many=True, help_text="What you may write, and have written."
    )
    error_categories = ErrorKindSerializer(many=True)
    severities = ErrorKindSerializer(many=True)
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
    score = serializers.IntegerField(min_value=-MAX_SCORE, max_value=MAX_SCORE)
    turn = serializers.IntegerField(
        min_value=1, max_value=999, required=False, help_text="Of a dialogue, among those that are rated."
    )


class BestBody(AnswerBody):
    pass


class JudgementBody(AnswerBody):
    criterion = serializers.RegexField(rf"^{CRITERION.pattern}\Z", help_text="Key of the criterion.")
    number = serializers.IntegerField(
        min_value=0,
        max_value=MAX_SCORE,
        required=False,
        allow_null=True,
        help_text="Of an option of the page.",
    )
    places = serializers.ListField(
        child=serializers.RegexField(rf"^{TOKEN.pattern}\Z"),
        required=False,
        allow_null=True,
        max_length=MOST_CANDIDATES_PER_PAGE,
        help_text="Tokens of texts, the first chosen first, where the page asks for an order.",
    )


class JudgementReceiptSerializer(serializers.Serializer[JudgementReceipt]):
    """What is stored now."""

    token = serializers.CharField()
    criterion = serializers.CharField()
    number = serializers.IntegerField(allow_null=True)
    places = serializers.ListField(child=serializers.CharField(), allow_null=True)
    order = serializers.IntegerField(source="client_order")
    saved_at = serializers.DateTimeField()
    is_latest = serializers.BooleanField(
        help_text="False where a later answer was stored already, and stays."
    )


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
            progress = progress_of(rows)
            found: Any = [OwnPart(row, progress[row.pk]) for row in rows]
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
        progress = study_progress(enrolment)
        pages = [page for subtask in progress.subtasks for page in subtask.pages]
        training = progress.training.pages if progress.training else ()
        return Response(OwnStudyDetailSerializer(OwnPart(enrolment, progress, pages, training)).data)


class OwnPage(APIView):
    @extend_schema(
        operation_id="own_page",
        summary="Show a page to rate, the texts in your order and what you have answered",
        responses=RatingPageSerializer,
    )
    def get(self, request: UserRequest, slug: str, subtask: int, page: int) -> Response:
        enrolment = own_enrolment(request, slug)
        if enrolment.needs_consent():
            raise Refused("Give your consent first: POST to consent/ of the study.")
        return Response(RatingPageSerializer(load_page(enrolment, subtask, page)).data)


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


class OwnJudgements(APIView):
    @extend_schema(
        operation_id="own_judgement_save",
        summary="Compare the texts of a page on a criterion, or put them in an order, as its study asks",
        request=JudgementBody,
        responses=JudgementReceiptSerializer,
    )
    def post(self, request: UserRequest, slug: str, subtask: int, page: int) -> Response:
        fields = checked_body(JudgementBody, request)
        sent = SentJudgement(
            token=fields["token"],
            criterion=fields["criterion"],
            client_order=fields.get("order", time.time_ns() // 1_000_000),
            number=fields.get("number"),
            places=None if fields.get("places") is None else tuple(fields["places"]),
            seconds_on_page=fields.get("seconds"),
        )
        receipt = save_judgement(request.user, PageAddress(slug, subtask, page), sent)
        return Response(JudgementReceiptSerializer(receipt).data)


def save(request: UserRequest, address: PageAddress, fields: dict[str, Any]) -> Response:
    """Save one answer and return what is stored now."""
    answer = Answer(
        token=fields["token"],
        client_order=fields.get("order", time.time_ns() // 1_000_000),
        criterion=f"{fields['criterion']}:{fields['turn']}" if "turn" in fields else fields.get("criterion"),
        score=fields.get("score"),
        seconds_on_page=fields.get("seconds"),
    )
    receipt = save_score(request.user, address, answer)
    return Response(ReceiptSerializer(receipt).data)
