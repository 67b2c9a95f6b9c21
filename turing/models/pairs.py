"""What is played with: a human and a machine text under one title, and where the human one comes from."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Max, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from generation.models import Candidate, GenerationRun


class Form(models.TextChoices):
    """Forms of verse; the keys of regulated ones are those that orders go by (generation.verse.forms)."""

    JUEJU5 = "jueju5", _("jueju, five characters")
    JUEJU7 = "jueju7", _("jueju, seven characters")
    LUSHI5 = "lushi5", _("lüshi, five characters")
    LUSHI7 = "lushi7", _("lüshi, seven characters")
    OLD_STYLE = "old-style", _("old-style verse")


class SourceText(models.Model):
    """A human text as its collection has it. `candidate` is set once the text is in a pair.

    `text` is what is played with: simplified characters, normalised as all texts are. `title` is empty where
    what the collection has for a title is none that a poem could be written for; `form` where there is no name for it.
    """

    source_id = models.CharField(max_length=100, unique=True)
    title = models.CharField(max_length=500, blank=True)
    author = models.CharField(max_length=100, blank=True)
    dynasty = models.CharField(max_length=20, blank=True)
    form = models.CharField(max_length=16, choices=Form, blank=True)
    text = models.TextField()
    original_title = models.TextField(blank=True)
    original_author = models.CharField(max_length=100, blank=True)
    original_text = models.TextField(blank=True)
    candidate = models.OneToOneField(
        Candidate, on_delete=models.PROTECT, null=True, blank=True, related_name="source_text"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="source_text_given"),
            models.CheckConstraint(condition=Q(form__in=["", *Form.values]), name="source_form_known"),
        ]
        # To pick poems of some forms at random.
        indexes = [models.Index(fields=["form"], name="source_text_form")]

    def __str__(self) -> str:
        return self.source_id


class Genre(models.TextChoices):
    """The kinds of text that the game is played with."""

    POEM = "poem", "poem"
    QA = "qa", "question and answer"
    CHAT = "chat", "conversation"


class PoemPairQuerySet(models.QuerySet["PoemPair"]):
    def of(self, genre: str, *, boundary: bool = False) -> PoemPairQuerySet:
        """Pairs of a genre whose machine text is the machine's from its beginning, or from a boundary on."""
        return self.filter(genre=genre, takeover__isnull=not boundary)

    def in_play(self, genre: str, *, boundary: bool = False, trios: bool = False) -> PoemPairQuerySet:
        """Those of them that may be drawn; with `trios` only conversations of one interrogator with both."""
        found = self.of(genre, boundary=boundary).filter(is_withdrawn=False)
        return found.filter(is_trio=True) if trios else found

    def next_number(self, genre: str, *, boundary: bool = False) -> int:
        """Return the number that the next such pair gets: one look at the index."""
        highest: int | None = self.of(genre, boundary=boundary).aggregate(highest=Max("number"))["highest"]
        return 0 if highest is None else highest + 1


class PoemPair(models.Model):
    """A human and a machine text for one prompt, alike in form.

    Pairs of a genre are numbered from 0 without gaps, so that one is drawn by drawing its number: every pair is as
    likely as any other, at a cost that does not grow. A trigger (migration `0002_guards`) holds that both texts
    are for one prompt of this genre.

    Where there is a `takeover`, the machine's text begins as the human one and is the machine's from that sentence on;
    such pairs are numbered by themselves, and played as boundaries only.

    Texts of the genre `chat` are finished conversations (`turing.pairs.conversations`), whose prompts are of the genre
    `text`. In a trio one interrogator had both; otherwise one of them is shown at a time, never both.
    """

    genre = models.CharField(max_length=8, choices=Genre)
    number = models.PositiveIntegerField()
    human = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="pairs_as_human")
    machine = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="pairs_as_machine")
    takeover = models.PositiveSmallIntegerField(null=True, editable=False)
    is_trio = models.BooleanField(default=False, editable=False)
    # A pair that has been played stays for the statistics; it can only be taken out of the draw.
    is_withdrawn = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())

    objects = PoemPairQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["human", "machine"], name="pair_once"),
            models.UniqueConstraint(
                fields=["genre", "number"], condition=Q(takeover__isnull=True), name="pair_number_once"
            ),
            models.UniqueConstraint(
                fields=["genre", "number"], condition=Q(takeover__isnull=False), name="boundary_number_once"
            ),
            models.CheckConstraint(condition=Q(takeover__gte=2), name="pair_begins_human"),
            models.CheckConstraint(condition=Q(genre__in=Genre.values), name="pair_genre_known"),
            models.CheckConstraint(
                condition=Q(is_trio=False) | Q(genre="chat"), name="pair_trio_of_conversations"
            ),
            models.CheckConstraint(condition=~Q(human=F("machine")), name="pair_of_two"),
        ]

    def __str__(self) -> str:
        return f"{self.genre} pair {self.number}"

    @property
    def heading(self) -> str:
        """What lists call it: the prompt, or of conversations the first words of the human one."""
        if self.genre == Genre.CHAT:
            return self.human.text.partition("\n")[0][3:63]
        return self.human.prompt.text


class PairRun(models.Model):
    """A run that writes machine texts for human ones of one form, to be paired with them as they are finished.

    No two of the human texts are for one prompt.
    """

    run = models.OneToOneField(GenerationRun, on_delete=models.CASCADE, primary_key=True, related_name="+")
    humans = models.ManyToManyField(Candidate, related_name="+")
    # When the last of its texts was paired: there is nothing more to come.
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"pairs of run {self.run_id}"
