"""What people preferred, by the API: the file that training reads, in every layout."""

from __future__ import annotations

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.views import APIView

from annotations.access.log import log_act
from annotations.access.permissions import Right, study_for
from annotations.results.preferences.wanted import LAYOUTS, PREFERENCE_FORMATS, SOURCES, Wanted
from generation.web.rest import Strict, UserRequest, checked_query
from generation.web.schema import extend_schema


class PreferencesQuery(Strict):
    source = serializers.ChoiceField(  # type: ignore[assignment]
        choices=SOURCES, required=False, default="ratings", help_text="Of pairs without a layout."
    )
    layout = serializers.ChoiceField(
        choices=LAYOUTS,
        required=False,
        default=None,
        help_text="By scores: pairs (DPO), single texts that are good or not (KTO), or orders.",
    )
    as_file = serializers.ChoiceField(choices=PREFERENCE_FORMATS, required=False, default="jsonl")
    conversational = serializers.BooleanField(
        required=False, default=False, help_text="Prompts and texts as messages; of a layout."
    )
    by_evaluator = serializers.BooleanField(
        required=False, default=False, help_text="A row for each evaluator's own answer; of a layout."
    )
    min_margin = serializers.FloatField(
        required=False, default=0.0, min_value=0, help_text="Of pairs without a layout."
    )
    include_inconsistent = serializers.BooleanField(
        required=False, default=False, help_text="Let inconsistent pages count; of pairs without a layout."
    )


class Preferences(APIView):
    @extend_schema(
        operation_id="preferences",
        summary="Return what people preferred as a file to train on, once the seal is off",
        parameters=[PreferencesQuery],
        responses={
            (200, "application/jsonl"): OpenApiTypes.BINARY,
            (200, "application/vnd.apache.parquet"): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: UserRequest, slug: str) -> StreamingHttpResponse:
        # Loaded where it is used: what computes takes longer to load than all the rest of a web process.
        from annotations.results.preferences.files import wanted_file

        study = study_for(request.user, slug, Right.ANALYSE)
        query = checked_query(PreferencesQuery, request)
        wanted = Wanted(file_format=query.pop("as_file"), **query)
        name, content_type, chunks = wanted_file(study, wanted)
        log_act(
            study, request.user, "export.answers",
            rows=f"preferences by {wanted.kind}", format=wanted.file_format,
        )  # fmt: skip
        return StreamingHttpResponse(
            chunks,
            content_type=content_type,
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
