"""What a call of the API says of itself in the schema, noted where the call stands and read when the schema is made.

drf-spectacular's own decorator loads its generator, and with it DRF's and Django's test clients: a third of the start
of a web process, for a schema that hardly any of them sends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from rest_framework.views import APIView

__all__ = ["apply_noted", "extend_schema"]

if TYPE_CHECKING:
    # Type checkers see the arguments that drf-spectacular knows.
    from drf_spectacular.utils import extend_schema
else:
    Method = TypeVar("Method", bound=Callable[..., Any])

    def extend_schema(**said: Any) -> Callable[[Method], Method]:
        """Note on a method of a view what drf-spectacular's decorator of this name would be given."""

        def note(method: Method) -> Method:
            method.said_in_schema = said
            return method

        return note


def apply_noted(views: Iterable[type[APIView]]) -> None:
    """Give drf-spectacular what the methods of the views have noted; a second call changes nothing."""
    from drf_spectacular.utils import extend_schema as extend

    for view in views:
        for name in view.http_method_names:
            method = getattr(view, name, None)
            if method is not None and hasattr(method, "said_in_schema"):
                extend(**method.said_in_schema)(method)
                del method.said_in_schema
