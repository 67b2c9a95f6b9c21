"""The data sheet of a study by the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.access.permissions import Right, study_for
from annotations.data_sheet import heds_form, heds_markdown
from generation.web.rest import UserRequest
from generation.web.schema import extend_schema


class DataSheetSerializer(serializers.Serializer[Any]):
    markdown = serializers.CharField()
    form = serializers.DictField(help_text="the file that the public form of HEDS 3.0 loads")
    left = serializers.ListField(
        child=serializers.CharField(),
        help_text="numbers of the form's questions that only the authors can answer",
    )


class DataSheet(APIView):
    @extend_schema(
        operation_id="heds",
        summary="Return the human evaluation data sheet, filled in as far as the platform knows",
        responses=DataSheetSerializer,
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.ANALYSE)
        form, left = heds_form(study)
        return Response({"markdown": heds_markdown(study), "form": form, "left": left})
