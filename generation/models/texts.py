"""The texts that studies show, and where each came from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import MD5, Cast, Coalesce, Now, NullIf
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from generation.genres import genre_choices
from generation.methods import LABELS
from generation.models.lease import MOST_ATTEMPTS, Leased, LeasedQuerySet
from generation.prompts import PromptContent, listed, paired


def digest_of(name: str) -> MD5:
    """Return the digest of a JSON field of a prompt."""
    return MD5(Cast(name, models.TextField()))


def prompt_heading(path: str = "") -> Coalesce:
    """Return the expression of `PromptContent.heading` for the prompt at the end of a path of look-ups."""
    last_turn, first_part = KeyTransform("-1", f"{path}turns"), KeyTransform("0", f"{path}parts")
    return Coalesce(
        NullIf(f"{path}text", Value("")),
        KeyTextTransform("text", last_turn),
        KeyTextTransform("text", first_part),
        output_field=models.TextField(),
    )


class Prompt(models.Model):
    """What every method wrote for: a question, a title or an instruction, with its parts and turns.

    Two files may call different prompts by one id, so all that a prompt says tells it from the others here; within a
    study it is known by its id.
    """

    genre = models.CharField(max_length=8, choices=genre_choices)
    text = models.TextField(blank=True)
    description = models.TextField(blank=True)
    # How its owner calls it.
    external_id = models.CharField(max_length=200, blank=True)
    # Objects with `name` and `text`, in their order.
    parts = models.JSONField(default=list, blank=True)
    # Of a dialogue: objects with `role` and `text`.
    turns = models.JSONField(default=list, blank=True)
    # By what the report groups prompts: an object of texts, such as {"domain": "news"}.
    tags = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            # By digest, because an index entry holds no long text.
            models.UniqueConstraint(
                "genre", MD5("text"), MD5("description"), "external_id",
                digest_of("parts"), digest_of("turns"), digest_of("tags"),
                name="prompt_once",
            ),
            models.CheckConstraint(condition=~Q(genre=""), name="prompt_genre_given"),
            models.CheckConstraint(
                condition=~Q(text="") | ~Q(parts=[]) | ~Q(turns=[]), name="prompt_says_something"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.heading

    @property
    def content(self) -> PromptContent:
        return PromptContent(
            self.text,
            self.description,
            self.external_id,
            paired(self.parts, "name"),
            paired(self.turns, "role"),
            tuple(sorted(self.tags.items())),
        )

    @property
    def heading(self) -> str:
        return self.content.heading

    @classmethod
    def of(cls, genre: str, content: PromptContent) -> Prompt:
        """Return a prompt of this content that is not stored."""
        return cls(
            genre=genre,
            text=content.text,
            description=content.description,
            external_id=content.external_id,
            parts=listed(content.parts, "name"),
            turns=listed(content.turns, "role"),
            tags=dict(content.tags),
        )


class Method(models.Model):
    """What produced a text: a model with its search, a web service, or people."""

    key = models.SlugField(unique=True)
    label = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.label

    @property
    def name(self) -> str:
        return method_name(self.key, self.label)


def method_name(key: str, label: str = "") -> str:
    """Return the label of a method, in the reader's language where it is the one that comes with the site."""
    own = LABELS.get(key, key)
    return gettext(own) if label in ("", own) else label


class GenerationRunQuerySet(models.QuerySet["GenerationRun"]):
    def written_here(self) -> GenerationRunQuerySet:
        """Runs that our own workers carry out, the latest first, with what their pages name."""
        ours = self.filter(Exists(RunPrompt.objects.filter(run=OuterRef("pk"))))
        related = ("method", "started_by", "training_cycle__self_training")
        return ours.select_related(*related).order_by("-pk")

    def but_visitors(self) -> GenerationRunQuerySet:
        """All runs but those of texts that visitors asked for."""
        of_visitors = RunPrompt.objects.filter(run=OuterRef("pk"), composition__isnull=False)
        return self.exclude(Exists(of_visitors))


class GenerationRun(models.Model):
    """One execution of a method over prompts; an import is a run that somebody else executed."""

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    uuid = models.UUIDField(unique=True, editable=False, db_default=RandomUUID())
    method = models.ForeignKey(Method, on_delete=models.PROTECT, related_name="runs")
    state = models.CharField(max_length=9, choices=State, default=State.QUEUED)
    # What the texts came from: file name and digest of an import.
    source = models.JSONField(default=dict)
    # Empty for the model that goes with the prompt's language and the method.
    model = models.CharField(max_length=50, blank=True)
    # Whose workers take it.
    queue = models.CharField(max_length=60, default="generate")
    preset = models.CharField(max_length=50, blank=True)
    seed = models.BigIntegerField(default=0)
    # What else the orders of all prompts say: any of `form`, `tune`, `heads`, `author` (generation.orders.Order).
    config = models.JSONField(default=dict)
    # Prompts of runs with a higher one are claimed first: a visitor waits, a study can.
    priority = models.SmallIntegerField(default=0)
    # Tokens that were sent to an engine and asked of it, at most, where one serves the model.
    tokens_sent = models.BigIntegerField(default=0)
    # Nobody where it was started from the command line, or imported.
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())

    objects = GenerationRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running", "done", "failed", "cancelled"]),
                name="run_state_known",
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("generation:run", args=[self.uuid])

    def is_open(self) -> bool:
        """Whether there is something left to write."""
        return self.state in (self.State.QUEUED, self.State.RUNNING)


class RunPromptQuerySet(LeasedQuerySet["RunPrompt"]):
    def open(self) -> RunPromptQuerySet:
        """Those that wait or are being written."""
        return self.filter(state__in=RunPrompt.OPEN)

    def fail(self, error: str, **values: Any) -> int:
        return super().fail(error, step=None, finished_at=Now(), **values)


class RunPrompt(Leased):
    """One prompt of a run, the unit of work: claimed by one worker at a time, under a lease."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("being written")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    OPEN = (State.WAITING, State.RUNNING)
    FREE, HELD = State.WAITING, State.RUNNING

    run = models.ForeignKey(GenerationRun, on_delete=models.CASCADE, related_name="run_prompts")
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="+")
    # Its place in the run, from 1.
    number = models.PositiveIntegerField()
    # What stands already of the text and is gone on from; mostly nothing.
    opening = models.TextField(blank=True, default="")
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    # How far the writing is: {"sentence": 3, "most": 8, "text": ...} (generation.orders.Step).
    step = models.JSONField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = RunPromptQuerySet.as_manager()

    class Meta:
        ordering = ["run", "number"]
        constraints = [
            models.UniqueConstraint(fields=["run", "prompt"], name="run_prompt_once"),
            models.UniqueConstraint(fields=["run", "number"], name="run_prompt_number_once"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running", "done", "failed", "cancelled"]),
                name="run_prompt_state_known",
            ),
            models.CheckConstraint(
                condition=Q(attempts__lte=MOST_ATTEMPTS), name="run_prompt_attempts_limited"
            ),
            models.CheckConstraint(
                condition=~Q(state="running") | Q(lease__isnull=False, leased_until__isnull=False),
                name="run_prompt_running_is_leased",
            ),
        ]
        indexes = [
            # For the claims, which look for the open ones among all that were ever written.
            models.Index(
                fields=["run", "number"],
                name="run_prompt_open",
                condition=Q(state__in=["waiting", "running"]),
            ),
        ]

    def __str__(self) -> str:
        return f"prompt {self.number} of run {self.run_id}"


class Candidate(models.Model):
    """One text by one method for one prompt."""

    run = models.ForeignKey(GenerationRun, on_delete=models.CASCADE, related_name="candidates")
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="candidates")
    # Empty in records alone: what evaluators were shown and rated when a method had written nothing.
    text = models.TextField(blank=True)
    # What else its file said of it, by the names of the columns; nobody who rates sees it.
    notes = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "prompt"], name="candidate_once_per_run"),
        ]

    def __str__(self) -> str:
        return f"candidate {self.pk}"


class Provenance(models.Model):
    """How a candidate of our own came about: its score and the texts that came close (generation.orders.Written)."""

    candidate = models.OneToOneField(
        Candidate, on_delete=models.CASCADE, primary_key=True, related_name="provenance"
    )
    score = models.FloatField()
    # By name, weighted: they add up to the score.
    terms = models.JSONField()
    # [{"text", "forward", "inverse"}, ...] of the text's short sentences.
    sentences = models.JSONField()
    # [{"text", "score", "terms", "sentences"}, ...] of the other final hypotheses, best first.
    runners_up = models.JSONField()
    # Characters of the order that the model does not know.
    unknown = models.TextField(blank=True)
    seconds = models.FloatField()
    # Model, digest of the checkpoint, template, preset, seed, versions.
    facts = models.JSONField()

    def __str__(self) -> str:
        return f"provenance of candidate {self.candidate_id}"


class WorkerQuerySet(models.QuerySet["Worker"]):
    def report(self, hostname: str, *, queues: Sequence[str] = (), slots: int = 1) -> None:
        """Note that a worker is alive now, by the database's clock, and what it takes."""
        self.bulk_create(
            [Worker(hostname=hostname, queues=list(queues), slots=slots, seen_at=Now())],
            update_conflicts=True,
            unique_fields=["hostname"],
            update_fields=["queues", "slots", "seen_at"],
        )

    def seen_lately(self) -> WorkerQuerySet:
        """Workers that reported within 45 seconds."""
        return self.filter(seen_at__gt=Now() - timedelta(seconds=45))

    def taking(self, queue: str) -> WorkerQuerySet:
        """Workers that were started for a queue."""
        return self.filter(queues__contains=[queue])


class Worker(models.Model):
    """A Celery worker process that has reported."""

    hostname = models.CharField(max_length=255, unique=True)
    queues = models.JSONField(default=list)
    # How many texts it can write at a time.
    slots = models.PositiveSmallIntegerField(default=1)
    seen_at = models.DateTimeField()

    objects = WorkerQuerySet.as_manager()

    def __str__(self) -> str:
        return self.hostname
