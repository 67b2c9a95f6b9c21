"""What drf-spectacular asks while it makes the schema, and loads only then."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension

from generation.web.schema import apply_noted


class ClosedBody(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Say in the schema that a body has no other fields."""

    target_class = "generation.web.rest.Strict"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**schema, "additionalProperties": False}


ERROR_SCHEMA = {
    "type": "object",
    "required": ["detail"],
    "properties": {
        "detail": {"type": "string", "description": "What is wrong, in a sentence."},
        "fields": {
            "type": "object",
            "description": "What is wrong with single fields, by the way to them.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
        "problems": {
            "type": "array",
            "description": "What is wrong with a file, by line and field.",
            "items": {"type": "string"},
        },
    },
}
ERRORS = {
    "400": "Not as this schema says",
    "401": "No valid token or session",
    "403": "Not for this user, or not while the study is sealed",
    "404": "Not there, or not for this user",
    "405": "No such method",
    "406": "No such format",
    "409": "Refused by a rule",
    "413": "Too large",
    "415": "No such content type",
    "429": "Too many; Retry-After says in how many seconds to come again",
    "503": "Not now; Retry-After says in how many seconds to come again",
}


def add_errors(result: dict[str, Any], generator: Any, request: Any, public: Any) -> dict[str, Any]:
    """Name in the schema the errors that any call can answer with."""
    result.setdefault("components", {}).setdefault("schemas", {})["Error"] = ERROR_SCHEMA
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for path in result["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                # An object in a query is given as JSON.
                if parameter["in"] == "query" and parameter.get("schema", {}).get("type") == "object":
                    parameter["content"] = {"application/json": {"schema": parameter.pop("schema")}}
            for code, description in ERRORS.items():
                operation["responses"].setdefault(code, {"description": description, "content": content})
    return result


def only_api(endpoints: list[Any]) -> list[Any]:
    """Keep the addresses of the API for the schema, without those of the schema itself, and what they say of it."""
    kept = [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/v1/")]
    apply_noted(callback.cls for *_, callback in kept)
    return kept
