"""Periods as they come in: `period`, or `from` and `to`."""

from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from django import forms
from django.http import QueryDict

from resolutionflow.periods import DEFAULT_LENGTH, LENGTHS, LONGEST, Period

EARLIEST = date(1970, 1, 1)


class PeriodForm(forms.Form):
    """Reads a period out of a query string; `period()` gives the default one where the input is bad or missing."""

    period = forms.CharField(required=False)
    # "from" is a keyword of Python, so both dates are added by name
    vars()["from"] = forms.DateField(required=False, input_formats=["%Y-%m-%d"])
    to = forms.DateField(required=False, input_formats=["%Y-%m-%d"])

    extra_periods: tuple[str, ...] = ()

    def __init__(self, data: QueryDict | dict[str, Any], *, now: datetime, tz: tzinfo) -> None:
        super().__init__(data)
        self.now, self.tz = now, tz
        for name in ("from", "to"):
            self.fields[name].error_messages["invalid"] = "Give the date as YYYY-MM-DD."

    def clean_period(self) -> str:
        value: str = self.cleaned_data["period"]
        known = [f"{length}d" for length in LENGTHS] + list(self.extra_periods)
        if value and value not in known:
            raise forms.ValidationError(f"Unknown period. Use {', '.join(known[:-1])} or {known[-1]}.")
        return value

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        first, last = data.get("from"), data.get("to")
        if "from" in self.errors or "to" in self.errors:
            return data
        if bool(first) != bool(last):
            self.add_error("to" if first else "from", "A custom range needs both from and to.")
        elif first and last:
            if data.get("period"):
                self.add_error("period", "Give either a period or from and to, not both.")
            elif first < EARLIEST:
                self.add_error("from", "A custom range starts in 1970 at the earliest.")
            elif first > last:
                self.add_error("to", "The range ends before it starts.")
            elif last > self.now.astimezone(self.tz).date():
                self.add_error("to", "The range may not end after today.")
            elif (last - first) >= timedelta(days=LONGEST):
                self.add_error("to", f"A custom range has at most {LONGEST} days.")
        return data

    @property
    def period_is_bad(self) -> bool:
        return bool({"period", "from", "to"} & set(self.errors))

    def chosen_period(self) -> Period:
        """The period asked for; the last 30 days where nothing usable was given."""
        if self.period_is_bad:
            return Period.of_days(DEFAULT_LENGTH, now=self.now, tz=self.tz)
        first, last = self.cleaned_data["from"], self.cleaned_data["to"]
        if first and last:
            return Period(first, last, self.tz, self.now)
        named = self.cleaned_data["period"]
        length = int(named[:-1]) if named and named not in self.extra_periods else DEFAULT_LENGTH
        return Period.of_days(length, now=self.now, tz=self.tz)
