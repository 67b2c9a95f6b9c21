"""The errors marked in a study by the API: listed, or brought from elsewhere."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.access.permissions import may_create
from annotations.imports.spans.storing import find_spans, import_spans
from annotations.models.texts_by_language import named_by
from annotations.results.api import TextRowSerializer, listed_rows
from annotations.results.ratings_api import ImportQuery
from annotations.results.spans.rows import COLUMNS, marking_count, span_rows
from annotations.setup.rubrics import load_rubric
from annotations.uploads.reading import on_disk, refuse_too_large
from generation.web.rest import (
    TABLE_PARSERS,
    PageQuery,
    UserRequest,
    checked_query,
    page_of,
)
from generation.web.schema import extend_schema


class SpanRowSerializer(TextRowSerializer):
    """One marked error, or a text without any, with the columns of the export."""

    is_done = serializers.BooleanField(help_text="The evaluator said that all errors are marked.")
    mark = serializers.IntegerField(allow_null=True)
    start = serializers.IntegerField(
        allow_null=True, help_text="In code points of the text as it was written; null: it has no place."
    )
    end = serializers.IntegerField(allow_null=True)
    words = serializers.CharField(allow_null=True)
    category = serializers.CharField(allow_null=True)
    severity = serializers.CharField(allow_null=True)
    penalty = serializers.FloatField(allow_null=True)
    note = serializers.CharField(allow_null=True)
    tagged = serializers.CharField(help_text="The text with tags around the mark.")


class SpansQuery(ImportQuery):
    name = serializers.CharField(max_length=100, required=False, default="spans")
    rubric = serializers.ChoiceField(
        choices=["", "esa", "mqm"],
        required=False,
        default="",
        help_text="Categories, severities and penalties; without one they are those of the file.",
    )


class ImportedSpansSerializer(serializers.Serializer[Any]):
    """What a file of marked errors holds, and whether it was stored now."""

    is_new = serializers.BooleanField()
    summary = serializers.DictField(help_text="How many there are of what.")


class SpansAndImport(APIView):
    parser_classes = TABLE_PARSERS

    @extend_schema(
        operation_id="spans_import",
        summary="Store errors that were marked elsewhere as a closed study; the same again changes nothing",
        parameters=[SpansQuery],
        request={parser.media_type: OpenApiTypes.BINARY for parser in TABLE_PARSERS},
        responses={200: ImportedSpansSerializer, 201: ImportedSpansSerializer},
    )
    def put(self, request: UserRequest, slug: str) -> Response:
        if not may_create(request.user):
            raise PermissionDenied("You may not begin studies.")
        query = checked_query(SpansQuery, request)
        content: Any = request.data
        upload = SimpleUploadedFile(query["name"], content or b"")
        refuse_too_large(upload)
        rubric = load_rubric(query["rubric"]) if query["rubric"] else None
        is_new = False
        with on_disk(upload) as path:
            found = find_spans(path, query["name"], rubric=rubric, encoding=query["encoding"])
            if not query["dry_run"]:
                title = named_by(query["title"]) if query["title"] else None
                _study, is_new = import_spans(found, slug=slug, title=title, by=request.user)
        body = {"is_new": is_new, "summary": found.summary()}
        return Response(body, status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)

    @extend_schema(
        operation_id="spans_list",
        summary="List the errors that evaluators marked, once the seal is off; a page of the list has so many texts",
        parameters=[PageQuery],
        responses=page_of(SpanRowSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        return listed_rows(request, slug, "spans", COLUMNS, span_rows, marking_count)
