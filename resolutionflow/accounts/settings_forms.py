from datetime import timedelta
from decimal import Decimal
from typing import Any
from unicodedata import category

from django import forms
from django.conf import settings

from resolutionflow.accounts.models import Account, ApiToken, User
from resolutionflow.storable import visible

MOST_TOKENS = 20
TURNS = frozenset(
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)  # of the direction, up to an end that may never come
HOUR = timedelta(hours=1)
PERCENTS = {"guided_percent": "guided_threshold", "exploring_percent": "exploring_threshold"}


class OneLine(forms.CharField):
    """A name: one line that can be seen. Blanks in a row are one; control characters, and those that would turn the
    direction of the text around it, are left out. A NUL is left for Django to refuse."""

    def to_python(self, value: Any) -> Any:
        text = str(super().to_python(value) or "")
        text = "".join(c for c in text if c.isspace() or c == "\0" or not (c in TURNS or category(c) == "Cc"))
        return " ".join(text.split()) if visible(text) else ""


class ProfileForm(forms.ModelForm):
    name = OneLine(max_length=200, help_text="As your colleagues see it.")

    class Meta:
        model = User
        fields = ("name", "weekly_digest")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.account is None:
            del self.fields["weekly_digest"]  # there are no figures to send


class TokenForm(forms.Form):
    """A label that no other live token of the person has: a form that is sent twice makes one token."""

    label = OneLine(
        max_length=100, help_text="What the token is for, such as “Monthly report”. Only you see it."
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person

    def clean_label(self) -> str:
        label = str(self.cleaned_data["label"])
        live = ApiToken.objects.filter(user=self.person, revoked_at=None)
        if live.filter(label__iexact=label).exists():
            raise forms.ValidationError(
                "You have a live token with this label. Revoke it first, or choose another."
            )
        if live.count() >= MOST_TOKENS:
            raise forms.ValidationError(f"You have {MOST_TOKENS} live tokens. Revoke one that is not used.")
        return label


def _percent(label: str, help_text: str) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        min_value=0,
        max_value=100,
        max_digits=4,
        decimal_places=1,
        help_text=help_text,
        widget=forms.NumberInput(attrs={"inputmode": "decimal", "step": "any"}),
    )


class AccountForm(forms.ModelForm):
    """What a team admin may set of the account. `changes()` has what is different, before and after."""

    name = OneLine(
        max_length=200, help_text="As it stands in the navigation, in mails and on printed sheets."
    )
    idle_hours = forms.DecimalField(
        label="Idle limit, in hours",
        min_value=Decimal("0.25"),
        max_value=366 * 24,
        max_digits=6,
        decimal_places=2,
        help_text="An active session without a sign of life for longer counts as given up.",
        widget=forms.NumberInput(attrs={"inputmode": "decimal", "step": "0.25"}),
    )

    guided_percent = _percent(
        "Guided from a match of, in %",
        "A suggested flow that matches so well guides the session. The match is the chance that the flow is right.",
    )
    exploring_percent = _percent(
        "Exploring from a match of, in %",
        "From here on a flow is offered as a start that may be left. Below it the session starts without a flow.",
    )

    class Meta:
        model = Account
        fields = ("name", "time_zone", "language", "names_hidden", "language_model_allowed")
        widgets = {
            "time_zone": forms.TextInput(
                attrs={"list": "time-zones", "autocomplete": "off", "spellcheck": "false"}
            )
        }
        labels = {
            "names_hidden": "Hide the names of engineers",
            "language_model_allowed": "Let a language model improve the wording of proposed flows",
        }
        help_texts = {
            "language": "In which problems and flows are written. The matching compares words without their endings; "
            "that “Wi-Fi” and “wireless” are one thing it knows in English only.",
            "time_zone": "Days and weeks begin at its midnight, in every figure and for the past too. "
            "Type a part of the name, such as “Berlin”.",
            "names_hidden": "Team pages, lists and exports show “Engineer 3” in place of a name. "
            "Users and roles keep the names.",
            "language_model_allowed": "The title, the summary and the names of the steps of proposed flows go to the "
            "language model that this installation is set up with. They are put together from what engineers wrote in "
            "sessions, so names or clients that stand there may be among them. Nothing else leaves the house.",
        }

    field_order = (
        *("name", "time_zone", "language", "idle_hours"),
        *("guided_percent", "exploring_percent", "names_hidden", "language_model_allowed"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not settings.LANGUAGE_MODEL_URL:
            del self.fields["language_model_allowed"]  # there is none that could be asked
        hours = Decimal(self.instance.idle_limit / HOUR).quantize(Decimal("0.01"))
        self.fields["idle_hours"].initial = hours.normalize() if hours % 1 else int(hours)
        for name, column in PERCENTS.items():
            percent = Decimal(str(getattr(self.instance, column) * 100)).quantize(Decimal("0.1"))
            self.fields[name].initial = percent if percent % 1 else int(percent)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if "idle_hours" in self.changed_data and "idle_hours" in data:
            self.instance.idle_limit = HOUR * float(data["idle_hours"])
        for name, column in PERCENTS.items():
            if name in self.changed_data and name in data:
                setattr(self.instance, column, float(data[name] / 100))
        if self.instance.exploring_threshold > self.instance.guided_threshold:
            self.add_error("exploring_percent", "Exploring may not begin above guided.")
        return data

    @property
    def changed_columns(self) -> list[str]:
        columns = PERCENTS | {"idle_hours": "idle_limit"}
        return [columns.get(name, name) for name in self.changed_data]
