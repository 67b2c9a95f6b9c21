"""What the API of every app has in common: strict queries and bodies, pages of a list, and errors in one form.

A query or a body holds what its serializer names and nothing else, so that a misspelt filter never passes for one
that found everything. An error is {"detail": a sentence, "fields": {name: sentences}, "problems": sentences};
`fields` is there where single ones are wrong, `problems` where a file is. 400: not as the schema says. 409: as it
says, and refused by a rule, which `detail` names.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import RequestDataTooBig
from django.core.exceptions import ValidationError as InvalidFields
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler

from generation.files.problems import listed
from generation.refusals import Refused

LARGEST_PAGE = 500
# More than any list has pages; a larger number is not one that a database counts to.
LAST_PAGE = 1_000_000


class UserRequest(Request):
    """A request whose user is known, as it is behind `IsAuthenticated`."""

    user: User


class Strict(serializers.Serializer[Any]):
    """Fields of which no other may be sent; a text is no number, and the refusal of a choice names those there are."""

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for field in fields.values():
            name_choices(getattr(field, "child", field))
        return fields

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, Mapping) else []
        if unknown:
            known = ", ".join(self.fields) or _("none")
            raise ValidationError({name: [_("Not known here; known: %s") % known] for name in unknown})
        if isinstance(data, Mapping):
            fields = [(name, field) for name, field in self.fields.items() if name in data]
            if wrong := [name for name, field in fields if not is_text_throughout(field, data[name])]:
                raise ValidationError({name: [_("Text is wanted here.")] for name in wrong})
        return super().to_internal_value(data)


def name_choices(field: object, choices: Iterable[str] | None = None) -> None:
    """Have the refusal of a choice name those there are: all of its field, or of them these."""
    if isinstance(field, serializers.ChoiceField):
        known = [str(one) for one in field.choices if one != "" and (choices is None or one in choices)]
        # Braces would be filled in.
        names = listed(known).replace("{", "{{").replace("}", "}}")
        field.error_messages["invalid_choice"] = _("“{input}” is none of the choices: %(names)s.") % {
            "names": names
        }


def is_text_throughout(field: object, value: object) -> bool:
    """Whether what is sent to a field of texts holds nothing else; Django REST would make text of a number."""
    if isinstance(field, serializers.CharField):
        return value is None or isinstance(value, str)
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        return all(is_text_throughout(field.child, one) for one in value)
    if isinstance(field, serializers.DictField) and isinstance(value, Mapping):
        return all(is_text_throughout(field.child, one) for one in value.values())
    return True


class Body(Strict):
    """The body of a request."""


@extend_schema_field({"type": "string", "pattern": r"^[0-9]{1,7}(\.[0-9]{1,2})?$"})
class Amount(serializers.DecimalField):
    """An amount of money that is not negative, sent as text."""


@extend_schema_field({"type": "string", "pattern": r"^(0(\.[0-9]{1,3})?|1(\.0{1,3})?)$"})
class Share(serializers.DecimalField):
    """A share from 0 to 1 in thousandths, sent as text."""


@extend_schema_field({"type": ["string", "null"], "pattern": r"^[0-9]{1,3}(\.[0-9]{1,3})?$"})
class Points(serializers.DecimalField):
    """A number of points that is not negative, in thousandths, sent as text."""


class PageQuery(Strict):
    """Which page of a list is wanted; filters of a list are further fields of a subclass."""

    page = serializers.IntegerField(
        required=False, default=1, min_value=1, max_value=LAST_PAGE, help_text="From 1."
    )
    page_size = serializers.IntegerField(required=False, default=50, min_value=1, max_value=LARGEST_PAGE)


def checked_query(query: type[Strict], request: Request) -> dict[str, Any]:
    """Return the query of a request; raise ValidationError for what is wrong in it, unknown or given twice."""
    for name, values in request.query_params.lists():
        if len(values) > 1:
            raise ValidationError({name: [_("Given more than once.")]})
    return checked(query, request.query_params.dict())


def checked_body(body: type[Strict], request: Request) -> dict[str, Any]:
    """Return the body of a request; raise ValidationError for what is wrong in it or unknown."""
    return checked(body, request.data)


def checked(serializer: type[Strict], data: Any) -> dict[str, Any]:
    found = serializer(data=data)
    found.is_valid(raise_exception=True)
    validated: dict[str, Any] = found.validated_data
    return validated


def page_response(
    request: Request,
    rows: QuerySet[Any, Any] | Sequence[Any],
    query: Mapping[str, Any],
    shown: Callable[[Sequence[Any]], Any],
) -> Response:
    """Return one page of rows, of which only these are read; a page after the last one is empty."""
    start, stop = bounds(query)
    count = rows.count() if isinstance(rows, QuerySet) else len(rows)
    return listing(request, query, count, shown(list(rows[start:stop])))


def bounds(query: Mapping[str, Any]) -> tuple[int, int]:
    """Return from which row on and before which one the page of a query lies."""
    page, size = query["page"], query["page_size"]
    return (page - 1) * size, page * size


def listing(request: Request, query: Mapping[str, Any], count: int, results: Any) -> Response:
    """Return the rows of one page with the number of all and the addresses of the pages beside it."""
    page, pages = query["page"], max(1, math.ceil(count / query["page_size"]))
    return Response(
        {
            "count": count,
            "next": page_url(request, page + 1) if page < pages else None,
            "previous": page_url(request, min(page - 1, pages)) if page > 1 else None,
            "results": results,
        }
    )


def page_url(request: Request, page: int) -> str:
    parameters = request.query_params.copy()
    parameters["page"] = str(page)
    return request.build_absolute_uri(f"{request.path}?{parameters.urlencode()}")


def rows_as(serializer: type[serializers.BaseSerializer[Any]]) -> Callable[[Sequence[Any]], Any]:
    """Return what turns rows into plain data by a serializer."""
    return lambda rows: serializer(rows, many=True).data


def page_of(row: type[serializers.BaseSerializer[Any]]) -> Any:
    """Return the serializer of a page of rows, for the schema."""
    return inline_serializer(
        name=f"{row.__name__.removesuffix('Serializer')}Page",
        fields={
            "count": serializers.IntegerField(),
            "next": serializers.URLField(allow_null=True),
            "previous": serializers.URLField(allow_null=True),
            "results": row(many=True),
        },
    )


class TooLarge(APIException):
    """A body of more bytes than are read."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."


class BoundedJSONParser(JSONParser):
    """JSON of a depth that cannot trouble the process; its size is bounded by Django."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            parsed = super().parse(stream, media_type, parser_context)
            # Half a character (\\ud800 alone) is JSON, and no text that a database takes.
            json.dumps(parsed, ensure_ascii=False).encode()
        except RecursionError as error:
            raise ParseError(_("JSON parse error - nested too deep")) from error
        except UnicodeEncodeError as error:
            raise ParseError(_("JSON parse error - half a character")) from error
        return parsed


class FileParser(BaseParser):
    """The bytes of a file that is sent as the body itself."""

    def parse(  # type: ignore[override]
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        request = (parser_context or {}).get("request")
        # The server passes on no more bytes of a body than its head announces.
        announced = int(request.headers.get("content-length") or 0) if request else 0
        if announced > settings.UPLOAD_MEGABYTES * 1_000_000:
            raise TooLarge
        body: bytes = stream.read()
        return body


class CsvParser(FileParser):
    media_type = "text/csv"


class TsvParser(FileParser):
    media_type = "text/tab-separated-values"


class JsonFileParser(FileParser):
    media_type = "application/json"


class JsonLinesParser(FileParser):
    media_type = "application/jsonl"


class WorkbookParser(FileParser):
    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ParquetParser(FileParser):
    media_type = "application/vnd.apache.parquet"


# The kinds of file that `generation.files.tables` reads.
TABLE_PARSERS = [CsvParser, TsvParser, JsonFileParser, JsonLinesParser, WorkbookParser, ParquetParser]


def explain(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return an error in the one form that all of the API's errors have."""
    if isinstance(error, RequestDataTooBig):
        error = TooLarge()
    if isinstance(error, InvalidFields):
        refused = Refused(*error.messages)
        refused.fields = error.message_dict if hasattr(error, "error_dict") else {}
        error = refused
    if isinstance(error, Refused):
        return refusal_response(error)
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, ValidationError):
        fields = dict(flat(response.data))
        own = fields.pop("", [])
        where = ", ".join(fields)
        detail = " ".join(own) or (_("Not as it must be: %s") % where)
        response.data = {"detail": detail, **({"fields": fields} if fields else {})}
    return response


def refusal_response(refused: Refused) -> Response:
    """Return why something was not done, in the form that all of the API's errors have."""
    detail = _("Nothing was stored: the file has problems.") if refused.problems else str(refused)
    data: dict[str, Any] = {"detail": detail}
    if refused.fields:
        data["fields"] = {name: list(messages) for name, messages in refused.fields.items()}
    if refused.problems:
        data["problems"] = list(refused.problems)
    headers = {"Retry-After": str(refused.retry_after)} if refused.retry_after else None
    return Response(data, status=refused.status, headers=headers)


def flat(errors: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield the messages under the way to their field, such as `criteria.0.key`."""
    if isinstance(errors, Mapping):
        for name, inner in errors.items():
            part = "" if name == "non_field_errors" else str(name)
            yield from flat(inner, ".".join(filter(None, (path, part))))
    elif isinstance(errors, list) and any(isinstance(inner, Mapping | list) for inner in errors):
        for number, inner in enumerate(errors):
            yield from flat(inner, ".".join(filter(None, (path, str(number)))))
    else:
        yield path, [str(message) for message in (errors if isinstance(errors, list) else [errors])]
