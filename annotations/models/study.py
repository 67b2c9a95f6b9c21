"""Studies: which candidates are shown for which prompts, and by which criteria they are rated."""

from __future__ import annotations

import copy
import math
import secrets
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

from annotations.models.bounds import (
    MOST_CANDIDATES_PER_PAGE,
    MOST_DAYS,
    MOST_PROMPTS_PER_SUBTASK,
    MOST_SHARING,
    a_share,
    not_negative,
    whole_number,
)
from annotations.models.numbers import LARGEST_SCORE, NumberField
from annotations.models.texts_by_language import TextsByLanguage, TextsField, language_codes
from annotations.protocols.table import PROTOCOLS, derived_choices, protocol_choices
from generation.genres import genre_choices
from generation.texts.normalising import shown_prompt, shown_text

if TYPE_CHECKING:
    from annotations.models.imports import RatingImport
    from annotations.protocols.protocol import Protocol

# What stands beside the slugs in /manage/studies/...
RESERVED_SLUGS = frozenset({"new"})


def new_order_seed() -> int:
    return secrets.randbits(63)


def check_language_tag(tag: str) -> None:
    """Raise ValidationError for what is no language tag (BCP 47)."""
    # With its data, a fifth of what a process loads that never checks a tag.
    import langcodes

    if "_" in tag or not langcodes.tag_is_valid(tag):
        raise ValidationError(
            _("%(tag)s is no language tag; give one such as en, zh-Hans, pt-BR or ar."), params={"tag": tag}
        )


class StudyQuerySet(models.QuerySet["Study"]):
    def sealed(self) -> StudyQuerySet:
        """Studies whose numbers nobody may see yet: not closed, with people answering, and never unblinded."""
        return self.filter(
            ~Q(state=Study.State.CLOSED), enrolments__source="questionnaire", unblindings__isnull=True
        ).distinct()

    def locked(self, study: Study | int, *, no_key: bool = False) -> Study:
        """Return a study (or the one of this primary key) as it is now, its row locked until the transaction ends.

        `no_key` lets answers go on meanwhile: their foreign keys to the study need its key alone.
        """
        pk = study if isinstance(study, int) else study.pk
        return self.select_for_update(no_key=no_key).get(pk=pk)


class Study(models.Model):
    """One human evaluation: prompts, methods, criteria, a time to rate and rules fixed beforehand."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        OPEN = "open", _("open")
        PAUSED = "paused", _("paused")
        CLOSED = "closed", _("closed")

    class Language(models.TextChoices):
        CHINESE = "zh", _("Chinese")
        ENGLISH = "en", _("English")

    class Normalisation(models.TextChoices):
        """The rules of `generation.texts.normalising`."""

        VERSE = "verse", _("verse: blanks, marks and quotes made alike, poems set in lines")
        PROSE = "prose", _("prose: only line ends and control characters made alike")
        NONE = "none", _("none: every text as it was written")

    class Rendering(models.TextChoices):
        """How a text stands on a page (`annotations.questionnaire.rendering`)."""

        PLAIN = "plain", _("plain text")
        MARKDOWN = "markdown", _("Markdown; raw HTML, images and links stay as they were written")
        CODE = "code", _("code, in letters of one width")

    class PreferenceScale(models.TextChoices):
        """What is answered where two texts are compared (`annotations.protocols.pairwise`)."""

        CHOICE = "choice", _("left, equally good, right, both bad")
        STEPS = "steps", _("five steps from left to right")

    class Reasons(models.TextChoices):
        """Where evaluators may write why they answer so."""

        NONE = "none", _("nowhere")
        PAGE = "page", _("once a page")
        CANDIDATE = "candidate", _("for each text")

    slug = models.SlugField(unique=True, max_length=80)
    title = TextsField(max_length=200, error_messages={"blank": _("Give the study a title.")})
    instructions = TextsField(blank=True)
    # In which languages its evaluators can read its pages; the first stands in for others.
    interface_languages = ArrayField(
        models.CharField(max_length=35), default=language_codes, verbose_name=_("Languages of the pages")
    )
    # What is rated: poems under titles, or answers to questions.
    genre = models.CharField(max_length=8, choices=genre_choices, default="poem")
    # The language of the texts that are rated, which need not be the reader's.
    text_language = models.CharField(
        max_length=35,
        default=Language.CHINESE,
        validators=[check_language_tag],
        verbose_name=_("Language of the texts"),
    )
    # By which rule what is shown is made of the texts as they were written; the texts themselves never change.
    normalisation = models.CharField(
        max_length=5, choices=Normalisation, default=Normalisation.VERSE, verbose_name=_("Rule for the texts")
    )
    rendering = models.CharField(
        max_length=8, choices=Rendering, default=Rendering.PLAIN, verbose_name=_("Rendering of the texts")
    )
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    days_to_rate = models.PositiveSmallIntegerField(default=7, validators=whole_number(MOST_DAYS))
    prompts_per_subtask = models.PositiveSmallIntegerField(
        default=10, validators=whole_number(MOST_PROMPTS_PER_SUBTASK)
    )
    # How many evaluators each sub-task is for, and how many sub-tasks one evaluator gets of them; empty: everybody
    # rates everything.
    evaluators_per_subtask = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=whole_number(MOST_SHARING)
    )
    subtasks_per_evaluator = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=whole_number(MOST_SHARING)
    )
    # After so many hours without a single answer a sub-task that is for a number of evaluators goes to another one.
    hours_to_give_back = models.PositiveSmallIntegerField(default=48, validators=whole_number(24 * MOST_DAYS))
    # What evaluators agree to before their first page; empty: they are asked nothing.
    consent = TextsField(blank=True)
    # The questions of the short form that comes with the consent (`annotations.recruiting.consent`).
    questions = models.JSONField(default=list, blank=True)
    contact = models.CharField(max_length=200, blank=True)
    # What evaluators are asked on a page.
    protocol = models.CharField(
        max_length=20, choices=protocol_choices, default="ratings", verbose_name=_("Protocol")
    )
    preference_scale = models.CharField(
        max_length=6,
        choices=PreferenceScale,
        default=PreferenceScale.CHOICE,
        verbose_name=_("Answers where two texts are compared"),
    )
    # How many of a prompt's texts share a page of one evaluator (a block); empty: all of them.
    candidates_per_page = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=whole_number(MOST_CANDIDATES_PER_PAGE, least=2)
    )
    # Whether a page is answered with a pick of its best text, beside the ratings.
    has_best_picks = models.BooleanField(default=True, verbose_name=_("Ask for the best text of each page"))
    reasons = models.CharField(
        max_length=9, choices=Reasons, default=Reasons.NONE, verbose_name=_("Reasons may be written")
    )
    # Whether evaluators may write how a text should have been.
    has_corrections = models.BooleanField(default=False, verbose_name=_("Texts may be corrected"))
    # Declared, because a text that is missing by mistake looks the same.
    allows_missing_texts = models.BooleanField(
        default=False, verbose_name=_("Methods may lack texts for some prompts")
    )
    # Of a valid evaluator; a group may have its own.
    payment = models.DecimalField(
        max_digits=9, decimal_places=2, default=Decimal(0), validators=[not_negative]
    )
    currency = models.CharField(
        max_length=3,
        default="CNY",
        validators=[
            RegexValidator(
                r"^[A-Z]{3}\Z", _("Give the code of the currency in three capital letters, such as CNY.")
            )
        ],
    )
    # Largest share of inconsistent pages that a valid evaluator may have.
    inconsistency_threshold = models.DecimalField(
        max_digits=4, decimal_places=3, default=Decimal("0.2"), validators=[a_share]
    )
    # Decides the order of candidates on every page. Whoever knows it can work out the methods.
    order_seed = models.BigIntegerField(default=new_order_seed, editable=False)
    created_at = models.DateTimeField(db_default=Now())
    # When somebody who runs the study last declared its material right; any change of the material takes it back.
    signed_off_at = models.DateTimeField(null=True, editable=False)
    launched_at = models.DateTimeField(null=True, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)

    objects = StudyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "studies"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["draft", "open", "paused", "closed"]), name="study_state_known"
            ),
            models.CheckConstraint(
                condition=Q(prompts_per_subtask__gte=1), name="study_subtask_holds_a_prompt"
            ),
            models.CheckConstraint(
                condition=Q(evaluators_per_subtask__isnull=True, subtasks_per_evaluator__isnull=True)
                | Q(evaluators_per_subtask__gte=1, subtasks_per_evaluator__gte=1),
                name="study_shares_out_or_not",
            ),
            models.CheckConstraint(condition=Q(hours_to_give_back__gte=1), name="study_gives_back_later"),
            models.CheckConstraint(condition=Q(payment__gte=0), name="study_payment_not_negative"),
            models.CheckConstraint(
                condition=Q(currency__regex="^[A-Z]{3}$"), name="study_currency_is_a_code"
            ),
            models.CheckConstraint(condition=~Q(genre=""), name="study_genre_given"),
            models.CheckConstraint(condition=~Q(protocol=""), name="study_protocol_given"),
            models.CheckConstraint(
                condition=Q(preference_scale__in=["choice", "steps"]), name="study_preference_scale_known"
            ),
            models.CheckConstraint(
                condition=Q(reasons__in=["none", "page", "candidate"]), name="study_reasons_known"
            ),
            models.CheckConstraint(
                condition=Q(candidates_per_page__isnull=True) | Q(candidates_per_page__gte=2),
                name="study_page_has_two_candidates",
            ),
            models.CheckConstraint(
                condition=Q(normalisation__in=["verse", "prose", "none"]), name="study_normalisation_known"
            ),
            models.CheckConstraint(
                condition=Q(rendering__in=["plain", "markdown", "code"]), name="study_rendering_known"
            ),
            models.CheckConstraint(
                condition=Q(text_language__regex="^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$"),
                name="study_language_is_a_tag",
            ),
            models.CheckConstraint(
                condition=Q(inconsistency_threshold__gte=0, inconsistency_threshold__lte=1),
                name="study_threshold_is_a_share",
            ),
            models.CheckConstraint(
                condition=Q(interface_languages__len__gte=1), name="study_offers_a_language"
            ),
            models.CheckConstraint(condition=Q(days_to_rate__gte=1), name="study_days_positive"),
            models.CheckConstraint(condition=~Q(title={}), name="study_title_given"),
        ]

    def __str__(self) -> str:
        return self.slug

    def get_absolute_url(self) -> str:
        return reverse("annotations:study", args=[self.slug])

    def clean(self) -> None:
        """Refuse a slug that another address of the site needs."""
        if self.slug in RESERVED_SLUGS:
            raise ValidationError({"slug": _("This name is taken by the site itself.")})

    @property
    def form_questions(self) -> list[dict[str, Any]]:
        """The questions of the short form, each with its label by language."""
        return [{**question, "label": TextsByLanguage(question["label"])} for question in self.questions]

    @property
    def text_language_name(self) -> str:
        """The language of the texts in the reader's words, where the site knows them, with its tag."""
        if self.text_language in self.Language.values:
            return str(self.Language(self.text_language).label)
        try:
            name = get_language_info(self.text_language.lower())["name_translated"]
        except KeyError:
            return self.text_language
        return f"{name} ({self.text_language})"

    @property
    def from_elsewhere(self) -> RatingImport | None:
        """The import that all its ratings came by, where they were collected elsewhere; one query an object."""
        return getattr(self, "rating_import", None)

    @cached_property
    def has_checks(self) -> bool:
        """Whether there are pages whose answers are no results; one query an object."""
        return self.subtasks.filter(pages__role__in=["known", "repeat", "training"]).exists()

    def reading_once(self) -> Study:
        """Return this study for one page or report, which reads its criteria and what it declares of checks once."""
        study = copy.copy(self)
        models.prefetch_related_objects([study], "criteria", "quality_control")
        return study

    def shown(self, text: str) -> str:
        """Return a candidate's text as its evaluators see it."""
        return shown_text(text, self.normalisation, self.genre)

    def shown_prompt(self, text: str) -> str:
        """Return a prompt or its description as evaluators see it."""
        return shown_prompt(text, self.normalisation)

    @property
    def asks(self) -> Protocol:
        """The protocol by which its evaluators are asked."""
        return PROTOCOLS[self.protocol]

    def scale(self, criterion: Criterion) -> tuple[float, float, bool]:
        """Return the ends of the scores by a criterion, and whether the lowest is the best.

        Where pages are judged as a whole, scores are shares from 0 to 1, whatever the criterion says; where something
        else is answered about texts, they are what the protocol makes of it.
        """
        if self.asks.texts is not None:
            return self.asks.texts.scale
        if self.asks.answer is not None:
            return 0, 1, False
        return criterion.minimum, criterion.maximum, criterion.lower_is_better

    def page_size(self, methods: int) -> int:
        """How many texts a page of one evaluator has of so many methods."""
        return min(self.candidates_per_page or methods, methods)

    def asks_consent(self) -> bool:
        """Whether evaluators agree to something or fill in a form before their first page."""
        return bool(self.consent or self.questions)

    def is_shared_out(self) -> bool:
        """Whether an evaluator gets some of the sub-tasks only."""
        return self.evaluators_per_subtask is not None


class CriterionQuerySet(models.QuerySet["Criterion"]):
    def rated(self) -> CriterionQuerySet:
        """Those that evaluators give scores on; the others are reckoned from what else they answer."""
        return self.filter(derived="")


class Criterion(models.Model):
    """One quality asked about, with its range and the words at both ends."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="criteria")
    number = models.PositiveSmallIntegerField()
    key = models.SlugField(max_length=40)
    label = TextsField(max_length=80, error_messages={"blank": _("Give the criterion a name.")})
    question = TextsField(max_length=300, blank=True)
    low = TextsField(max_length=120, blank=True)
    high = TextsField(max_length=120, blank=True)
    minimum = NumberField(default=1)
    maximum = NumberField(default=5)
    is_overall = models.BooleanField(default=False)
    # A scale of faults, such as MQM's penalties: the lowest score is the best.
    lower_is_better = models.BooleanField(default=False)
    # Rated with a slider, which stands nowhere until somebody moves it, instead of a button for each point.
    is_slider = models.BooleanField(default=False)
    # Each turn of a text that is a dialogue is rated as well, beside the whole.
    rates_turns = models.BooleanField(default=False)
    # What its scores are reckoned from, of what the protocol of the study derives; empty where texts are rated on it.
    derived = models.CharField(max_length=40, choices=derived_choices, blank=True, default="", db_default="")

    objects = CriterionQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "criteria"
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "key"], name="criterion_key_once"),
            models.UniqueConstraint(fields=["study", "number"], name="criterion_number_once"),
            models.UniqueConstraint(
                fields=["study"], condition=Q(is_overall=True), name="criterion_one_overall"
            ),
            models.CheckConstraint(
                condition=Q(minimum__lt=F("maximum")), name="criterion_minimum_below_maximum"
            ),
            models.CheckConstraint(
                condition=Q(minimum__gte=-LARGEST_SCORE, maximum__lte=LARGEST_SCORE),
                name="criterion_scale_within_bounds",
            ),
            models.CheckConstraint(condition=~Q(label={}), name="criterion_label_given"),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def points(self) -> range:
        """The whole scores of the scale: those that may be given on our pages."""
        return range(math.ceil(self.minimum), math.floor(self.maximum) + 1)
