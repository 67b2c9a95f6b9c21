"""Ratings that were collected elsewhere, by the API: at the address at which a study's ratings are read."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.response import Response

from annotations.access.permissions import may_create
from annotations.imports.rating_columns import Reading, read_map, read_scale, read_words
from annotations.imports.ratings import NamedFile, find_ratings, import_ratings
from annotations.models import WaitingUpload
from annotations.models.texts_by_language import named_by
from annotations.results.api import Answers
from annotations.uploads.api import StoringSerializer, storing_response
from annotations.uploads.reading import on_disk, refuse_too_large
from annotations.uploads.waiting import is_large_file, keep_waiting, queue_storing
from generation.genres import genre_choices
from generation.web.rest import TABLE_PARSERS, Strict, UserRequest, checked_query
from generation.web.schema import extend_schema


class ImportQuery(Strict):
    """How a file from elsewhere is read, whatever is in it."""

    title = serializers.CharField(
        max_length=200, required=False, default="", help_text="The slug if left out."
    )
    encoding = serializers.CharField(
        max_length=40, required=False, default="", help_text="Of a file that is neither UTF-8 nor UTF-16."
    )
    dry_run = serializers.BooleanField(
        required=False, default=False, help_text="Say what is there, store nothing."
    )


class RatingsQuery(ImportQuery):
    name = serializers.CharField(max_length=100, required=False, default="ratings")
    genre = serializers.ChoiceField(choices=genre_choices(), required=False, default="text")
    map = serializers.CharField(
        required=False, default="", help_text="What columns are: evaluator=WorkerId,score=Answer.*"
    )
    scale = serializers.CharField(
        required=False, default="", help_text="Scales by comma: overall=1:5,mqm=0:25"
    )
    words = serializers.CharField(required=False, default="", help_text="Points of words: splendid=5,dull=2")
    lower_is_better = serializers.CharField(required=False, default="", help_text="Criteria by comma.")
    overall = serializers.CharField(required=False, default="", help_text="The overall criterion.")
    keeps_off_scale = serializers.BooleanField(required=False, default=False)
    hides_names = serializers.BooleanField(required=False, default=False)
    threshold = serializers.CharField(
        required=False,
        default="",
        help_text="Largest share of inconsistent pages; without one everybody counts.",
    )


class RatingsSerializer(serializers.Serializer[Any]):
    """What files of ratings hold, and whether they were stored now."""

    is_new = serializers.BooleanField()
    reading = serializers.DictField(help_text="How the columns are read.")
    summary = serializers.DictField(help_text="Counts, scales, connections.")


class AnswersAndImport(Answers):
    parser_classes = TABLE_PARSERS

    @extend_schema(
        operation_id="ratings_import",
        summary="Store ratings that were collected elsewhere as a closed study; the same again changes nothing",
        description="Of more than 2 MB a worker stores them: the answer is the job that does.",
        parameters=[RatingsQuery],
        request={parser.media_type: OpenApiTypes.BINARY for parser in TABLE_PARSERS},
        responses={200: RatingsSerializer, 201: RatingsSerializer, 202: StoringSerializer},
    )
    def put(self, request: UserRequest, slug: str) -> Response:
        if not may_create(request.user):
            raise PermissionDenied("You may not begin studies.")
        query = checked_query(RatingsQuery, request)
        content: Any = request.data
        upload = SimpleUploadedFile(query["name"], content or b"")
        refuse_too_large(upload)
        reading = Reading(
            columns=read_map(query["map"]),
            words=read_words(query["words"]),
            scales=dict(read_scale(one) for one in query["scale"].split(",") if one),
            lower_is_better=tuple(filter(None, query["lower_is_better"].split(","))),
            **{
                name: query[name]
                for name in ("overall", "keeps_off_scale", "hides_names", "threshold", "encoding")
            },
        )
        if is_large_file(upload) and not query["dry_run"]:
            said = {
                "slug": slug,
                "title": named_by(query["title"]) if query["title"] else {},
                "genre": query["genre"],
                "reading": reading.as_dict(),
            }
            kept = keep_waiting(WaitingUpload.Kind.RATINGS, [upload], by=request.user)
            return storing_response(request, queue_storing(kept, said, by=request.user))
        with on_disk(upload) as path:
            found = find_ratings([NamedFile(path, query["name"])], reading)
            is_new = False
            if not query["dry_run"]:
                title = named_by(query["title"]) if query["title"] else None
                receipt = import_ratings(found, slug=slug, title=title, genre=query["genre"], by=request.user)
                is_new = receipt.is_new
        body = {"is_new": is_new, "reading": found.reading.as_dict(), "summary": found.summary.as_dict()}
        return Response(body, status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)
