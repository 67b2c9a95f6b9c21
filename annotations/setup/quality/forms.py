"""Forms of the quality control: its rules, and what is right on a page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotations.models import Page, QualityControl, Study
from annotations.models.bounds import LONGEST_TEXT
from annotations.models.texts_by_language import TextsByLanguage
from annotations.setup.quality.declaration import RULES, DeclaredAnswer, DeclaredPage
from annotations.text_forms import TextInput, TextsForm


class RulesForm(forms.ModelForm):  # type: ignore[type-arg]
    """The rules of a study's quality control."""

    class Meta:
        model = QualityControl
        fields = RULES
        labels = {
            "repeats_per_subtask": gettext_lazy("Pages of each sub-task that come again"),
            "known_answer_share": gettext_lazy("Known-answer pages that should be right, as a share"),
            "training_share": gettext_lazy("Passing mark of the training round, as a share of what is right"),
            "training_attempts": gettext_lazy("How often the training round may be tried"),
            "has_flags": gettext_lazy("Flag pasted text, leaving the page, hasty answers and straight lines"),
            "hasty_seconds": gettext_lazy("Seconds below which a page is answered hastily"),
            "flag_share": gettext_lazy("Share of pages above which evaluators are flagged"),
        }
        help_texts = {
            "repeats_per_subtask": gettext_lazy(
                "Each stands at least five pages after the first time, which is the one that counts."
            ),
            "known_answer_share": gettext_lazy(
                "Whoever has fewer right is flagged; nobody is left out for it."
            ),
            "training_share": gettext_lazy(
                "Empty: the training pages are for practice, and nobody has to pass."
            ),
            "has_flags": gettext_lazy(
                "It is noted when and how long a page was left and that something was pasted, never what. Say so in the"
                " consent."
            ),
        }

    def rules(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in RULES}


class KnownAnswerForm(TextsForm):
    """What is right about a text of one page."""

    texts = {
        "explanation": TextInput(
            gettext_lazy("Explanation"),
            LONGEST_TEXT,
            rows=2,
            help_text=gettext_lazy("Shown with the feedback of the training round."),
        )
    }
    prompt = forms.ChoiceField(label=gettext_lazy("Page"))
    role = forms.ChoiceField(
        label=gettext_lazy("What it is for"),
        choices=[
            (Page.Role.KNOWN, gettext_lazy("known answer: stands among the others, and does not count")),
            (Page.Role.TRAINING, gettext_lazy("training: before the first page, with feedback")),
        ],
    )
    method = forms.ChoiceField(
        label=gettext_lazy("Text by"),
        required=False,
        help_text=gettext_lazy("Without one a training page is there for practice alone."),
    )
    criterion = forms.ChoiceField(label=gettext_lazy("Criterion"), required=False)
    lowest = forms.FloatField(label=gettext_lazy("Lowest right score"), required=False)
    highest = forms.FloatField(
        label=gettext_lazy("Highest right score"),
        required=False,
        help_text=gettext_lazy("Without scores the text is the best of its page."),
    )
    field_order = ("prompt", "role", "method", "criterion", "lowest", "highest", "explanation")

    def __init__(self, study: Study, pages: list[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, languages=study.interface_languages, **kwargs)
        choices = {
            "prompt": pages,
            "method": [("", _("no text")), *study.study_methods.names().items()],
            "criterion": [
                ("", _("as a whole")),
                *((one.key, str(one.label)) for one in study.criteria.all()),
            ],
        }
        for name, found in choices.items():
            self.fields[name].choices = found  # type: ignore[attr-defined]

    def page(self) -> DeclaredPage:
        """Return the page with what was said of it."""
        said = self.cleaned_data
        answer = DeclaredAnswer(said["method"], said["criterion"] or None, said["lowest"], said["highest"])
        return DeclaredPage(
            said["prompt"],
            said["role"],
            (answer,) if said["method"] else (),
            TextsByLanguage(said["explanation"]),
        )
