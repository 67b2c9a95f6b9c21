"""Programs that rate: judges and metrics of a study, and their scores, which are never people's ratings."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotations.models.numbers import LARGEST_SCORE, NumberField
from annotations.models.pages import PageCandidate
from annotations.models.study import Criterion, Study
from annotations.models.study_methods import StudyMethod
from generation.models import Prompt

LONGEST_PROMPT_NAME = 500


def prompt_name(prompt: Prompt) -> str:
    """Return what scores call a prompt by: its id, or how it begins."""
    return (prompt.external_id or prompt.heading)[:LONGEST_PROMPT_NAME]


class Judge(models.Model):
    """A program that rated the texts of a study: what it is called, and what has to be known about its scores."""

    class Kind(models.TextChoices):
        IMPORTED = "imported", _("scores from a file")
        METRIC = "metric", _("metric computed here")
        SERVED = "served", _("language model asked here")

    class SawAnswers(models.TextChoices):
        NO = "no", _("no")
        YES = "yes", _("yes")
        UNKNOWN = "unknown", _("not known")

    class Sampling(models.TextChoices):
        """How the prompts that people rate came from all prompts that the judge scored."""

        ALL = "all", _("the file has the prompts of the study alone")
        RANDOM = "random", _("the prompts of the study were drawn at random from all in the file")
        CHOSEN = "chosen", _("the prompts of the study were chosen, not drawn")

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="judges")
    key = models.SlugField(max_length=60)
    label = models.CharField(max_length=120)
    kind = models.CharField(max_length=8, choices=Kind)
    # What exactly made the scores: model, version, version of the prompt.
    version = models.CharField(max_length=200, blank=True)
    # A metric's scores, which are no points of the evaluators' scale.
    has_own_scale = models.BooleanField(default=False)
    # Whether people's answers were in sight when the scores were made, which nobody can find out afterwards.
    saw_answers = models.CharField(max_length=7, choices=SawAnswers)
    sampling = models.CharField(max_length=6, choices=Sampling, default=Sampling.ALL)
    # Keys of the methods that are of the judge's own family.
    own_methods = models.JSONField(default=list, blank=True)
    # Of an import {"file", "sha256"}, else how the scores are made.
    source = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    # Nobody where it was done from the command line.
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        ordering = ["study", "key"]
        constraints = [
            models.UniqueConstraint(fields=["study", "key"], name="judge_key_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["imported", "metric", "served"]), name="judge_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(saw_answers__in=["no", "yes", "unknown"]), name="judge_saw_answers_said"
            ),
            models.CheckConstraint(
                condition=Q(sampling__in=["all", "random", "chosen"]), name="judge_sampling_known"
            ),
            models.CheckConstraint(condition=~Q(label=""), name="judge_label_given"),
        ]

    def __str__(self) -> str:
        return f"{self.key} of study {self.study_id}"


class JudgeRating(models.Model):
    """One score by a judge: of a text on a page, or of one for a prompt that no evaluator sees, known by its name."""

    judge = models.ForeignKey(Judge, on_delete=models.CASCADE, related_name="ratings")
    page_candidate = models.ForeignKey(PageCandidate, on_delete=models.CASCADE, null=True, related_name="+")
    prompt_name = models.CharField(max_length=LONGEST_PROMPT_NAME, blank=True)
    study_method = models.ForeignKey(StudyMethod, on_delete=models.CASCADE, related_name="+")
    # None of a metric that is one of no criterion: it is compared with all of them.
    criterion = models.ForeignKey(Criterion, on_delete=models.CASCADE, null=True, related_name="+")
    # Which time the judge was asked, and where on its page the text stood, both from 1.
    repeat = models.PositiveSmallIntegerField(default=1)
    position = models.PositiveSmallIntegerField(null=True)
    score = NumberField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "judge", "page_candidate", "prompt_name", "study_method", "criterion", "repeat", "position",
                ],
                nulls_distinct=False,
                name="judge_rating_once",
            ),
            models.CheckConstraint(
                condition=Q(page_candidate__isnull=False, prompt_name="")
                | Q(page_candidate__isnull=True) & ~Q(prompt_name=""),
                name="judge_rating_of_one_text",
            ),
            models.CheckConstraint(
                condition=Q(score__gte=-LARGEST_SCORE, score__lte=LARGEST_SCORE),
                name="judge_rating_within_bounds",
            ),
            models.CheckConstraint(condition=Q(repeat__gte=1), name="judge_repeat_from_one"),
            models.CheckConstraint(condition=Q(position__gte=1), name="judge_position_from_one"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"score {self.pk} by judge {self.judge_id}"


class PromptDrawQuerySet(models.QuerySet["PromptDraw"]):
    def counted(self) -> PromptDrawQuerySet:
        """Read with each draw of how many prompts (`all`) how many were drawn (`drawn`)."""
        return self.annotate(
            all=models.Count("prompts"), drawn=models.Count("prompts", filter=Q(prompts__is_drawn=True))
        )


class PromptDraw(models.Model):
    """Which of a study's prompts people rate: drawn by the platform, with the chances that it drew by."""

    class By(models.TextChoices):
        UNIFORM = "uniform", _("every prompt with the same chance")
        VARIANCE = "variance", _("more often where the methods' scores vary")
        DIVERSITY = "diversity", _("more often where scores are unusual")
        DISAGREEMENT = "disagreement", _("more often where two methods differ most")

    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="prompt_draw")
    by = models.CharField(max_length=12, choices=By)
    # The tag by whose values prompts were drawn in strata; empty: from all at once.
    tag = models.CharField(max_length=50, blank=True)
    seed = models.BigIntegerField()
    drawn_at = models.DateTimeField(db_default=Now())
    # Nobody where it was drawn from the command line.
    drawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    objects = PromptDrawQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(by__in=["uniform", "variance", "diversity", "disagreement"]),
                name="prompt_draw_by_known",
            ),
            models.CheckConstraint(condition=Q(tag="") | Q(by="uniform"), name="prompt_draw_strata_uniform"),
        ]

    def __str__(self) -> str:
        return f"draw of study {self.study_id}"


class DrawnPrompt(models.Model):
    """A prompt that could be drawn, by its name: its chance and stratum, and whether it was."""

    draw = models.ForeignKey(PromptDraw, on_delete=models.CASCADE, related_name="prompts")
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="+")
    # How scores of it are stored once it is not shown.
    name = models.CharField(max_length=LONGEST_PROMPT_NAME)
    probability = models.FloatField()
    stratum = models.CharField(max_length=200, blank=True)
    is_drawn = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["draw", "prompt"], name="drawn_prompt_once"),
            models.UniqueConstraint(fields=["draw", "name"], name="drawn_prompt_name_once"),
            models.CheckConstraint(
                condition=Q(probability__gt=0, probability__lte=1), name="drawn_prompt_probability"
            ),
        ]

    def __str__(self) -> str:
        return self.name
