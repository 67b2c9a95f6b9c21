"""The checklist of a study by the API."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.access.permissions import Right, study_for
from annotations.models import ChecklistItem, Study
from annotations.setup.checklist_items.storing import checklist_in, replace_study_items
from annotations.text_serializers import StrictTexts, Texts
from generation.files.checklists import LARGEST_WEIGHT, LONGEST_ITEM, MOST_ITEMS, SMALLEST_WEIGHT
from generation.web.rest import Body, UserRequest, checked_body
from generation.web.schema import extend_schema


class ChecklistItemSerializer(serializers.ModelSerializer[ChecklistItem]):
    text = Texts(LONGEST_ITEM)
    subtask = serializers.IntegerField(source="page.subtask.number", default=None, allow_null=True)
    page = serializers.IntegerField(source="page.number", default=None, allow_null=True)

    class Meta:
        model = ChecklistItem
        fields = ["key", "subtask", "page", "text", "weight", "may_not_apply"]


class ItemBody(StrictTexts):
    text = Texts(LONGEST_ITEM)
    weight = serializers.FloatField(min_value=SMALLEST_WEIGHT, max_value=LARGEST_WEIGHT, default=1)
    may_not_apply = serializers.BooleanField(default=True, help_text="Whether ‘does not apply’ is an answer.")


class ChecklistItemsBody(Body):
    items = serializers.ListField(
        child=ItemBody(), max_length=MOST_ITEMS, help_text="Asked for every prompt."
    )


class ChecklistItems(APIView):
    @extend_schema(
        operation_id="checklist_items",
        summary="List the items of a study's checklist: those for every prompt, then those of single ones",
        responses=ChecklistItemSerializer(many=True),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        return items_response(study_for(request.user, slug, Right.RUN))

    @extend_schema(
        operation_id="checklist_items_replace",
        summary="Ask these items for every prompt, while the study is a draft; those of single prompts stay",
        request=ChecklistItemsBody,
        responses=ChecklistItemSerializer(many=True),
    )
    def put(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        sent = checked_body(ChecklistItemsBody, request)["items"]
        items = checklist_in([{**one, "text": dict(one["text"])} for one in sent], "items")
        replace_study_items(study, items, by=request.user)
        return items_response(study)


def items_response(study: Study) -> Response:
    items = study.checklist_items.select_related("page__subtask").order_by(
        "page__subtask__number", "page__number", "number"
    )
    in_order = sorted(items, key=lambda item: item.page_id is not None)
    return Response(ChecklistItemSerializer(in_order, many=True).data)
