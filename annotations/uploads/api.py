"""The answer of the API to a file that a worker stores."""

from __future__ import annotations

from rest_framework import serializers, status
from rest_framework.response import Response
from rest_framework.reverse import reverse

from annotations.models import Job
from generation.web.rest import UserRequest


class StoringSerializer(serializers.ModelSerializer[Job]):
    """A job that stores a file, and the address that says how far it is and what was wrong."""

    job = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = ["uuid", "kind", "state", "job"]

    def get_job(self, job: Job) -> str:
        return reverse("api:job", [job.uuid], request=self.context["request"])


def storing_response(request: UserRequest, job: Job) -> Response:
    """Return 202 with the job that stores what was sent."""
    body = StoringSerializer(job, context={"request": request}).data
    return Response(body, status=status.HTTP_202_ACCEPTED, headers={"Location": body["job"]})
