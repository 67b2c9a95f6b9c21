"""What a visitor may send to have a text written. All that can be known without the model is told beside its field."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from generation.compose.longest import LONGEST_ABOUT, LONGEST_HEADS, LONGEST_TUNE
from generation.engines.model_library import (
    ENGLISH,
    VERSE,
    VERSE_SELF_TRAINED,
    folder_of,
    is_there,
    known_characters,
    model_of,
)
from generation.methods import METHODS
from generation.orders import LONGEST, Order
from generation.texts.characters import control_characters, simplified
from generation.texts.normalising import is_chinese
from generation.verse.forms import CHINESE, find_form
from generation.verse.songci import find_tune, similar_tunes, tune_book

FREE = "free"
LONGEST_QUATRAIN = 4

Words = str | Promise

# What visitors may choose.
OFFERED = {key: method for key, method in METHODS.items() if method.name}
# Its poems are most about their titles.
GUIDED = "guided_search"
REGULATED: list[tuple[str, Words]] = [
    ("jueju5", _("quatrain, five characters a line")),
    ("jueju7", _("quatrain, seven characters a line")),
    ("lushi5", _("eight lines of five characters")),
    ("lushi7", _("eight lines of seven characters")),
]
FORMS: list[tuple[str, Words]] = [
    ("", _("as the rest suggests")),
    *REGULATED,
    ("ci", _("ci, to a tune")),
    (FREE, _("free, in the old style")),
]
# What a visitor is told where a model is not there, and the command by which an administrator gets it.
NOT_PREPARED: dict[str, Words] = {
    ENGLISH: _("This site has no English model."),
    VERSE: _("This site has no model of Chinese verse."),
    VERSE_SELF_TRAINED: _("This site has no self-trained model; choose another method."),
}
PREPARED_BY = {ENGLISH: "manage.py prepare_english_model"}


class TypedField(forms.CharField):
    """Words as people type or paste them: any run of blanks is one space, and nothing invisible is let through."""

    def __init__(self, *, longest: int, required: bool = False, **options: Any) -> None:
        super().__init__(required=required, **options)
        self.longest = longest

    def to_python(self, value: Any) -> str:
        return unicodedata.normalize("NFC", " ".join((super().to_python(value) or "").split()))

    def validate(self, value: str) -> None:
        super().validate(value)
        if found := control_characters(value):
            code = f"U+{ord(found[0]):04X}"
            raise forms.ValidationError(
                _("There is an invisible character in it (%(code)s). Type it again without that."),
                params={"code": code},
            )
        if len(value) > self.longest:
            raise forms.ValidationError(
                _("This is %(length)d characters long; at most %(longest)d are possible."),
                params={"length": len(value), "longest": self.longest},
            )


class OrderForm(forms.Form):
    """One text to be written. `subject` names the field that says what about."""

    genre: str
    subject: str
    choices: tuple[str, ...]

    method = forms.ChoiceField(label=_("Method"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        method = self.fields["method"]
        assert isinstance(method, forms.ChoiceField)
        method.choices = [(key, gettext(OFFERED[key].name)) for key in self.choices]
        method.initial = self.choices[0]
        method.error_messages["required"] = _("Choose a method.")
        self.order_fields([name for name in self.fields if name != "method"])
        for name, field in self.fields.items():
            described = [f"id_{name}-{part}" for part in ("hint", "error") if self.has(name, part)]
            if described:
                field.widget.attrs["aria-describedby"] = " ".join(described)

    def has(self, name: str, part: str) -> bool:
        return bool(self.fields[name].help_text) if part == "hint" else self.is_bound and name in self.errors

    def methods(self) -> Iterator[tuple[forms.boundfield.BoundWidget, Words]]:
        """Yield each method's radio button and what it does."""
        for key, widget in zip(self.choices, self["method"].subwidgets, strict=True):
            yield widget, gettext(OFFERED[key].how)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        text = cleaned.get(self.subject)
        if text and not any(character.isalnum() for character in text):
            self.add_error(self.subject, _("There is no word in it."))
        elif text:
            self.check(text)
        if not self.errors:
            self.check_model()
        return self.cleaned_data

    def check(self, text: str) -> None:
        """Note what cannot be written about a text that is there."""

    def check_model(self) -> None:
        """Note that the model is not there, or that it knows nothing of what was typed."""
        order = self.order(seed=0)
        model = model_of(order)
        if not is_there(model):
            self.add_error(self.subject, str(NOT_PREPARED[model]))
            return
        known = known_characters(folder_of(model))
        if not known:
            return
        for name, text in ((self.subject, order.prompt), ("author", order.author)):
            if text and known.isdisjoint(simplified(text)):
                self.add_error(name, _("The model knows none of these characters."))
        if unknown := "".join(character for character in simplified(order.heads) if character not in known):
            self.add_error(
                "heads",
                forms.ValidationError(
                    _("The model does not know %(characters)s."), params={"characters": unknown}
                ),
            )

    def order(self, seed: int) -> Order:
        """Return what is asked for; the form must be valid."""
        cleaned = self.cleaned_data
        names = ("description", "author", "form", "tune", "heads")
        others = {name: cleaned[name] for name in names if cleaned.get(name)}
        return Order(cleaned["method"], self.genre, cleaned[self.subject], seed=seed, **others)


class PoemForm(OrderForm):
    """A poem under the visitor's own title."""

    genre = "poem"
    subject = "title"

    title = TypedField(
        longest=LONGEST["title"],
        required=True,
        label=_("Title"),
        error_messages={"required": _("Give the poem a title.")},
    )
    form = forms.ChoiceField(required=False, choices=FORMS, label=_("Form"))
    tune = TypedField(longest=LONGEST_TUNE, label=_("Tune"), help_text=_("of a ci, such as 浣溪沙"))
    heads = TypedField(
        longest=LONGEST_HEADS,
        label=_("Acrostic"),
        help_text=_("characters that lines begin with"),
    )
    description = TypedField(
        longest=LONGEST_ABOUT,
        label=_("What it is about"),
        help_text=_("up to three words that old poems know, such as 车马、清晨"),
    )
    author = TypedField(
        longest=LONGEST["author"], label=_("In the manner of"), help_text=_("a poet, such as 李白")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        has_self_trained = is_there(VERSE_SELF_TRAINED)
        self.choices = tuple(
            key for key, method in OFFERED.items() if has_self_trained or not method.self_trained
        )
        super().__init__(*args, **kwargs)
        self.fields["method"].initial = GUIDED
        self.fields["tune"].widget.attrs["list"] = "tunes"

    def tunes(self) -> list[str]:
        """Return the names of all tunes, the commonest first."""
        return list(tune_book().tunes)

    def check(self, text: str) -> None:
        if is_chinese(text):
            self.check_form()
            return
        for name in ("tune", "heads"):
            if self.cleaned_data.get(name):
                self.add_error(name, _("This goes with a Chinese title only."))
        if self.cleaned_data.get("form") not in ("", FREE, None):
            self.add_error("form", _("This form goes with a Chinese title only."))
        if (method := self.cleaned_data.get("method")) and METHODS[method].self_trained:
            self.add_error("method", _("The self-trained model writes Chinese verse only."))
        self.cleaned_data["form"] = ""

    def check_form(self) -> None:
        """Note where form, tune and acrostic do not go together, and fill in the form that follows from the rest."""
        cleaned = self.cleaned_data
        heads = "".join(cleaned.get("heads", "").split())
        form = cleaned.get("form") or implied_form(cleaned.get("tune", ""), heads)
        if "tune" in cleaned:
            self.check_tune(form, cleaned["tune"])
        if heads and not CHINESE.fullmatch(heads):
            self.add_error("heads", _("An acrostic is of Chinese characters only."))
        elif heads and form == FREE:
            self.add_error("heads", _("An acrostic needs another form than the free one."))
        elif heads and not self.errors:
            lines = len(find_form(form, tune=cleaned["tune"]).lengths)
            if len(heads) > lines:
                said = ngettext(
                    "The poem has %(lines)d short sentence, and the acrostic %(heads)d characters.",
                    "The poem has %(lines)d short sentences, and the acrostic %(heads)d characters.",
                    lines,
                )
                self.add_error("heads", said % {"lines": lines, "heads": len(heads)})
        if not self.errors:
            cleaned |= {"form": form, "heads": heads}

    def check_tune(self, form: str, name: str) -> None:
        tune = find_tune(name) if name else None
        if name and form != "ci":
            self.add_error("tune", _("Only a ci has a tune: choose that form, or leave the tune out."))
        elif form == "ci" and not name:
            self.add_error("tune", _("Name the tune of the ci, such as 浣溪沙."))
        elif name and tune is None:
            self.add_error("tune", no_such_tune(name))
        elif tune:
            self.cleaned_data["tune"] = tune.name


class AnswerForm(OrderForm):
    """An answer to the visitor's own question."""

    genre = "qa"
    subject = "question"
    choices = tuple(key for key, method in OFFERED.items() if not method.self_trained)

    question = TypedField(
        longest=LONGEST["question"],
        required=True,
        label=_("Question"),
        error_messages={"required": _("Ask a question.")},
    )
    description = TypedField(
        longest=LONGEST["description"],
        label=_("Description"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("what one should know to answer it, if anything"),
    )

    def check(self, text: str) -> None:
        if is_chinese(text):
            self.add_error("question", _("Questions can be answered in English only, so far."))


def no_such_tune(name: str) -> forms.ValidationError:
    if similar := similar_tunes(name):
        said = _("There is no such tune here. Similar names: %(names)s.")
        return forms.ValidationError(said, params={"names": "、".join(similar)})
    return forms.ValidationError(_("There is no such tune here."))


def implied_form(tune: str, heads: str) -> str:
    """Return the form that follows from a tune or an acrostic, eight regulated lines where neither is given."""
    if tune:
        return "ci"
    return "jueju5" if 0 < len(heads) <= LONGEST_QUATRAIN else "lushi5"
