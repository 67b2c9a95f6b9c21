"""The training round by the API: how it goes, having the answers checked, and what there is to say of them."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.models import Enrolment
from annotations.questionnaire.api import PageProgressSerializer
from annotations.text_serializers import Texts
from annotations.training.training import (
    Feedback,
    PageFeedback,
    Training,
    check_training,
    feedback,
    training_of,
)
from generation.refusals import Refused
from generation.web.rest import UserRequest
from generation.web.schema import extend_schema


class FeedbackSerializer(serializers.Serializer[Feedback]):
    """What is right about a text, or before that is told what was asked, and whether you met it."""

    words = serializers.CharField(
        help_text="Texts by the letters that they have on your page; what was asked alone, without tells_answers."
    )
    is_right = serializers.BooleanField()


class PageFeedbackSerializer(serializers.Serializer[PageFeedback]):
    """What there is to say of the answers to a training page."""

    page = serializers.IntegerField(source="number")
    prompt = serializers.CharField()
    explanation = Texts(help_text="Empty without tells_answers.")
    answers = FeedbackSerializer(many=True)


class TrainingSerializer(serializers.Serializer["OwnTraining"]):
    """How your training round goes; what is right you read once it is passed or over, or in practice after a check."""

    share = serializers.FloatField(
        source="found.share", allow_null=True, help_text="The passing mark; null where it is for practice."
    )
    is_answered = serializers.BooleanField(source="found.is_answered")
    is_changed = serializers.BooleanField(
        source="found.is_changed", help_text="An answer was given since they were checked."
    )
    is_passed = serializers.BooleanField(source="found.is_passed")
    is_failed = serializers.BooleanField(
        source="found.is_failed", help_text="It was not passed, and there is no further attempt."
    )
    tells_answers = serializers.BooleanField(
        source="found.tells_answers",
        help_text="The feedback says what is right: with a passing mark once it is passed or no attempt is left.",
    )
    attempts = serializers.IntegerField(help_text="How often your answers were checked.")
    attempts_left = serializers.IntegerField(source="found.attempts_left", allow_null=True)
    asked = serializers.IntegerField(allow_null=True, help_text="Known answers, at the last attempt.")
    right = serializers.IntegerField(allow_null=True, help_text="So many of them were met.")
    pages = PageProgressSerializer(many=True, help_text="Answered like all others, in sub-task 0.")
    feedback = PageFeedbackSerializer(many=True, help_text="On the last attempt; none before the first.")


@dataclass(frozen=True)
class OwnTraining:
    """Where a user stands with the training round of a study, and what there is to say of the last attempt."""

    enrolment: Enrolment
    found: Training

    @property
    def attempts(self) -> int:
        return len(self.found.attempts)

    @property
    def asked(self) -> int | None:
        return len(self.found.last.asked) if self.found.last else None

    @property
    def right(self) -> int | None:
        return len(self.found.last.right) if self.found.last else None

    @property
    def pages(self) -> list[object]:
        training = self.found.progress.training
        return list(training.pages) if training else []

    @property
    def feedback(self) -> list[PageFeedback]:
        return feedback(self.enrolment, self.found)


def training_enrolment(request: UserRequest, slug: str) -> Enrolment:
    """Return the user's part in a study, who has agreed to it; raise Http404 and `Refused`."""
    own = Enrolment.objects.answering(request.user).select_related("study__quality_control")
    enrolment: Enrolment = get_object_or_404(own, study__slug=slug)
    if enrolment.needs_consent():
        raise Refused("Give your consent first: POST to consent/ of the study.")
    return enrolment


def training_response(enrolment: Enrolment) -> Response:
    """Say where an evaluator stands with the training; raise Http404 where there is none."""
    found = training_of(enrolment)
    if found is None:
        raise Http404
    return Response(TrainingSerializer(OwnTraining(enrolment, found)).data)


class OwnTrainingRound(APIView):
    @extend_schema(
        operation_id="own_training",
        summary="Show how your training round in a study goes, with feedback on the last attempt",
        responses=TrainingSerializer,
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        return training_response(training_enrolment(request, slug))


class OwnTrainingCheck(APIView):
    @extend_schema(
        operation_id="own_training_check",
        summary="Have your answers to the training pages checked; twice the same answers are one attempt",
        request=None,
        responses=TrainingSerializer,
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        enrolment = training_enrolment(request, slug)
        if training_of(enrolment) is None:
            raise Http404
        check_training(enrolment)
        return training_response(enrolment)
