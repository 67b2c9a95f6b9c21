"""What those who run a study may send to recruit people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import URLValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from annotations.models import EvaluatorGroup, OpenLink, Study
from annotations.models.bounds import MOST_DAYS, bounds_of
from annotations.models.texts_by_language import longest_text
from annotations.recruiting.invitations import DAYS_VALID, LONGEST_NAME
from annotations.text_forms import TextInput, TextsForm
from generation.web.fields import KeyField

if TYPE_CHECKING:
    GroupChoice = forms.ModelChoiceField[EvaluatorGroup]
else:
    GroupChoice = forms.ModelChoiceField

LARGEST_FILE = 500_000


class GroupField(GroupChoice):
    """One of a study's groups, by its name."""

    def label_from_instance(self, obj: EvaluatorGroup) -> str:
        return str(obj.name)


class StudyForm(forms.Form):
    """A form about one study; `group` is one of its groups."""

    def __init__(self, study: Study, *args: Any, **kwargs: Any) -> None:
        # Several forms stand on one page.
        kwargs.setdefault("auto_id", f"{type(self).__name__.removesuffix('Form').lower()}-%s")
        super().__init__(*args, **kwargs)
        self.study = study
        if "group" in self.base_fields:
            group = self.fields["group"]
            if isinstance(group, GroupField):
                group.queryset = study.groups.all()
                if not group.queryset.exists():
                    del self.fields["group"]

    def clean_group(self) -> EvaluatorGroup | None:
        return self.cleaned_data.get("group")


def group_field() -> GroupField:
    return GroupField(
        EvaluatorGroup.objects.none(),
        to_field_name="key",
        required=False,
        label=_("Group (optional)"),
        empty_label=_("no group"),
    )


def days_valid_field() -> forms.IntegerField:
    return forms.IntegerField(
        min_value=1,
        max_value=MOST_DAYS,
        initial=DAYS_VALID,
        label=_("Days in which it must be accepted"),
    )


class GroupForm(TextsForm, StudyForm):
    """A group of evaluators; the key of one that is there changes it."""

    texts = {
        "name": TextInput(
            _("Name"), longest_text(EvaluatorGroup, "name"), missing=_("Give the group a name.")
        )
    }
    field_order = ["key", "name", "payment"]
    key = KeyField(
        max_length=40,
        label=_("Short name"),
        help_text=_(
            "Letters, digits and hyphens, as in files of invitations. That of a group below changes it."
        ),
    )
    payment = forms.DecimalField(
        **bounds_of(EvaluatorGroup, "payment"),
        required=False,
        label=_("Payment of a valid evaluator (optional)"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["payment"].help_text = gettext(
            "Left out: %(payment)s %(currency)s, as the study says."
        ) % {
            "payment": self.study.payment,
            "currency": self.study.currency,
        }


class InviteForm(StudyForm):
    """One person to be invited."""

    email = forms.EmailField(
        required=False,
        max_length=254,
        label=_("E-mail address (optional)"),
        help_text=_("Without one the link is shown to you, to be handed over."),
    )
    name = forms.CharField(max_length=LONGEST_NAME, required=False, label=_("Name (optional)"))
    group = group_field()
    days_valid = days_valid_field()


class InviteFileForm(StudyForm):
    """A file of people to be invited."""

    file = forms.FileField(
        label=_("File of people"),
        help_text=_(
            "A table with a column of e-mail addresses, and columns for name and group where you have them, or a list"
            " of addresses such as Dora Dai <dora@example.org>. At most 1,000 people."
        ),
    )
    days_valid = days_valid_field()

    def clean_file(self) -> UploadedFile[bytes]:
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST_FILE:
            raise forms.ValidationError(_("The file is larger than 500 kB."))
        return file


class WaitingPeopleForm(forms.Form):
    """How a list of people is read, and how long the invitations are good."""

    encoding = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    sheet = forms.CharField(required=False, max_length=100, widget=forms.HiddenInput)
    days_valid = days_valid_field()


class LinkForm(StudyForm):
    """An open link."""

    name = forms.CharField(
        **bounds_of(OpenLink, "name"),
        required=False,
        label=_("Name of the link (optional)"),
        help_text=_("For you, such as the class that it is for; nobody who joins sees it."),
    )
    limit = forms.IntegerField(**bounds_of(OpenLink, "limit"), label=_("How many people may join by it"))
    group = group_field()
    takes_external_ids = forms.BooleanField(
        required=False,
        label=_("People come from Prolific or a panel like it"),
        help_text=_(
            "Then the address must bring PROLIFIC_PID or workerId, and no two people can have one id."
        ),
    )
    needs_signature = forms.BooleanField(
        required=False,
        label=_("The panel signs every id"),
        help_text=_(
            "Then nobody comes in by an id alone. The secret stands on this page, below the open links."
        ),
    )
    completion_code = forms.CharField(
        max_length=80,
        required=False,
        label=_("Completion code (optional)"),
        help_text=_("Shown to whoever has answered everything."),
    )
    completion_url = forms.CharField(
        max_length=400,
        required=False,
        validators=[URLValidator(schemes=["https"])],
        label=_("Address to go back to (optional)"),
        help_text=_("Begins with https://; a button leads there when everything is answered."),
    )
    turned_away_code = forms.CharField(
        max_length=80,
        required=False,
        label=_("Code of whoever comes too late (optional)"),
        help_text=_("Shown to those whom a panel sends over the limit or after the end."),
    )
    turned_away_url = forms.CharField(
        max_length=400,
        required=False,
        validators=[URLValidator(schemes=["https"])],
        label=_("Address to send them back to (optional)"),
        help_text=_("Begins with https://."),
    )


class EnrolForm(StudyForm):
    """A user who has an account."""

    username = forms.CharField(max_length=150, label=_("User name"))
    group = group_field()

    def clean_username(self) -> User:
        user = User.objects.filter(username=self.cleaned_data["username"], is_active=True).first()
        if user is None:
            raise forms.ValidationError(_("There is no account with this name."))
        return user


class ExtendForm(forms.Form):
    """How many more days an evaluator gets."""

    days = forms.IntegerField(
        min_value=1,
        max_value=MOST_DAYS,
        initial=7,
        label=_("Days"),
        help_text=_("Counted from the deadline, or from now if it is past."),
    )


class RemoveForm(forms.Form):
    """The confirmation that an evaluator's answers are to be removed at their wish."""

    is_meant = forms.BooleanField(
        label=_("The evaluator asked for it. I know that it cannot be undone."),
        error_messages={"required": _("Tick the box to remove the answers.")},
    )
