"""What the thumbs and the stars are sent by. The API's schemas keep the same rules."""

from typing import Any

from django import forms

from ratings.models import COMMENT_LENGTH, STARS, Reason


def tidy(text: str) -> str:
    """A comment as it is kept. Browsers count a line's end as one character and send it as two."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


class CommentField(forms.CharField):
    def __init__(self, *, rows: int, help_text: str) -> None:
        super().__init__(
            required=False,
            label="Comment (optional)",
            max_length=COMMENT_LENGTH,
            help_text=help_text,
            widget=forms.Textarea(attrs={"rows": rows}),
        )

    def to_python(self, value: Any) -> str:
        return tidy(super().to_python(value) or "")


class RatingForm(forms.Form):
    rating = forms.TypedChoiceField(
        label="Stars",
        choices=list(STARS.items()),
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose one to five stars.",
            "invalid_choice": "Choose one to five stars.",
        },
    )
    comment = CommentField(
        rows=3, help_text=f"At most {COMMENT_LENGTH} characters. Others see it without your name."
    )


class ThumbForm(forms.Form):
    """`was_helpful` says what is to be, "none": no thumb. `explained`: reasons and comment come along."""

    HELPFUL = {"true": True, "false": False, "none": None}

    was_helpful = forms.TypedChoiceField(
        choices=[(word, word) for word in HELPFUL], coerce=HELPFUL.__getitem__, empty_value=None
    )
    explained = forms.BooleanField(required=False)
    reasons = forms.MultipleChoiceField(
        label="What was wrong?", required=False, choices=Reason, widget=forms.CheckboxSelectMultiple
    )
    comment = CommentField(rows=2, help_text=f"At most {COMMENT_LENGTH} characters.")
