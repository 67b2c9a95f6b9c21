"""The material of a study by the API: replacing it, adding to it, and the checks of what there is."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.access.permissions import Right, study_for
from annotations.models import Study, WaitingUpload
from annotations.setup.material import MaterialChecks, material_checks, store_material
from annotations.setup.material.additions import Addition, add_material, planned_addition
from annotations.setup.uploads.reading import candidates_in, prompts_in
from annotations.setup.uploads.waiting import keep_material
from annotations.uploads.api import StoringSerializer, storing_response
from annotations.uploads.waiting import is_large_file, queue_storing
from generation.files.candidates import CandidateFile
from generation.files.encoding import ENCODINGS
from generation.files.prompts import PromptFile
from generation.web.rest import TABLE_PARSERS, Strict, UserRequest, checked_query
from generation.web.schema import extend_schema


@extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
class ColumnsField(serializers.JSONField):
    """An object of texts by the names of columns, as JSON."""

    def __init__(self, **options: Any) -> None:
        super().__init__(binary=True, **options)

    def to_internal_value(self, data: Any) -> Any:
        found = super().to_internal_value(data)
        if not isinstance(found, dict) or not all(isinstance(role, str) for role in found.values()):
            self.fail("invalid")
        return found


class MaterialQuery(Strict):
    kind = serializers.ChoiceField(
        choices=["candidates", "prompts"],
        required=False,
        default="candidates",
        help_text="Whether the file holds texts, or prompts that methods are still to write for.",
    )
    name = serializers.CharField(
        max_length=100, required=False, default="upload", help_text="What the file is called in the log."
    )
    encoding = serializers.ChoiceField(
        choices=list(ENCODINGS),
        required=False,
        default="",
        help_text="What a file of text is in that is neither UTF-8 nor UTF-16.",
    )
    sheet = serializers.CharField(
        max_length=100, required=False, default="", help_text="Of a workbook, where not the first is meant."
    )
    columns = ColumnsField(
        required=False,
        default=None,
        help_text=(
            'What the columns of candidates are that are not called so, such as {"Question": "prompt", "GPT-4":'
            ' "texts_of"}; docs/files.md lists what a column can be.'
        ),
    )


class AdditionQuery(MaterialQuery):
    look = serializers.BooleanField(
        default=False, help_text="Says what would be added and what would be missing then, and adds nothing."
    )


class LackingSerializer(serializers.Serializer[Any]):
    prompt = serializers.CharField()
    methods = serializers.ListField(child=serializers.CharField())


class AdditionSerializer(serializers.Serializer[Addition]):
    """What a file adds to the material of a draft."""

    texts = serializers.IntegerField()
    new_methods = serializers.ListField(child=serializers.CharField())
    new_prompts = serializers.IntegerField()
    known_prompts = serializers.IntegerField(help_text="Prompts of the file that the study has already.")
    missing = serializers.IntegerField(help_text="Texts that are missing then.")
    missing_at = LackingSerializer(many=True, help_text="The first prompts that lack texts then.")


class MethodCheckSerializer(serializers.Serializer[Any]):
    texts = serializers.IntegerField()
    missing = serializers.IntegerField()
    shortest = serializers.IntegerField(allow_null=True)
    median = serializers.FloatField(allow_null=True)
    longest = serializers.IntegerField(allow_null=True)
    label = serializers.CharField()  # type: ignore[assignment]


class MissingSerializer(serializers.Serializer[Any]):
    prompt = serializers.CharField()
    subtask = serializers.IntegerField()
    page = serializers.IntegerField()
    missing = serializers.IntegerField()
    methods = serializers.ListField(child=serializers.CharField(), help_text="By which no text is there.")


class SameTextSerializer(serializers.Serializer[Any]):
    text = serializers.CharField()
    times = serializers.IntegerField()


class MaterialSerializer(serializers.Serializer[MaterialChecks]):
    """What there is to see in the material of a study before it is signed off."""

    prompts = serializers.IntegerField()
    subtasks = serializers.IntegerField()
    smallest_subtask = serializers.IntegerField()
    language = serializers.CharField()
    is_complete = serializers.BooleanField(help_text="Every prompt has a text by every method.")
    methods = MethodCheckSerializer(many=True)
    missing = serializers.IntegerField()
    missing_at = MissingSerializer(many=True)
    same = serializers.IntegerField(help_text="How many texts stand more than once.")
    same_texts = SameTextSerializer(many=True)


class Material(APIView):
    parser_classes = TABLE_PARSERS

    @extend_schema(
        operation_id="material",
        summary="Show the checks of a study's material, for those who run it",
        responses=MaterialSerializer,
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        return material_response(study_for(request.user, slug, Right.RUN))

    @extend_schema(
        operation_id="material_replace",
        summary="Upload a file of candidates or prompts as the material of a draft",
        parameters=[MaterialQuery],
        request={parser.media_type: OpenApiTypes.BINARY for parser in TABLE_PARSERS},
        responses={200: MaterialSerializer, 202: StoringSerializer},
        description="Of more than 2 MB a worker stores it: the answer is the job that does.",
    )
    def put(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        query = checked_query(MaterialQuery, request)
        content: Any = request.data
        upload = SimpleUploadedFile(query["name"], content or b"")
        if is_large_file(upload):
            is_list = query["kind"] == "prompts"
            kind = WaitingUpload.Kind.PROMPTS if is_list else WaitingUpload.Kind.CANDIDATES
            names = ("encoding", "sheet") if is_list else ("encoding", "sheet", "columns")
            kept = keep_material(kind, study, upload, by=request.user)
            said = {name: query[name] for name in names}
            return storing_response(request, queue_storing(kept, said, by=request.user))
        store_material(study, sent_file(request, study, query), by=request.user)
        return material_response(study)

    @extend_schema(
        operation_id="material_add",
        summary="Add texts by further methods, or further prompts, to the material of a draft",
        parameters=[AdditionQuery],
        request={parser.media_type: OpenApiTypes.BINARY for parser in TABLE_PARSERS},
        responses=AdditionSerializer,
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        query = checked_query(AdditionQuery, request)
        file = sent_file(request, study, query, is_addition=True)
        addition = (
            planned_addition(study, file) if query["look"] else add_material(study, file, by=request.user)
        )
        return Response(AdditionSerializer(addition).data)


def sent_file(
    request: UserRequest, study: Study, query: dict[str, Any], *, is_addition: bool = False
) -> CandidateFile | PromptFile:
    """Return the file of a call as its query says that it is read; raise `Refused`."""
    content: Any = request.data
    upload = SimpleUploadedFile(query["name"], content or b"")
    given = {name: query[name] for name in ("encoding", "sheet")}
    if query["kind"] == "prompts":
        return prompts_in(upload, study, **given)
    return candidates_in(upload, study, columns=query["columns"], is_addition=is_addition, **given)


def material_response(study: Study) -> Response:
    checks = material_checks(study)
    return Response(MaterialSerializer(checks).data)
