"""The filters of the session list that can be picked from a select; `filters` reads what comes in."""

from functools import cache, partial
from typing import Any

from django import forms
from django.http import QueryDict

from flowpilot.clients.choices import client_choices
from flowpilot.sessions.states import Outcome, Status
from resolutionflow.accounts.choices import engineer_choices
from resolutionflow.accounts.models import Account, User
from resolutionflow.long_select import LongSelect


class SessionSelects(forms.Form):
    """Shows the choice of the query string. A parameter that is repeated has no select, which could not show
    it: its chips say what is chosen, and the other selects keep it."""

    status = forms.ChoiceField(required=False, label="Status", choices=[("", "Any status"), *Status.choices])
    outcome = forms.ChoiceField(
        required=False, label="Outcome", choices=[("", "Any outcome"), *Outcome.choices]
    )
    client_id = forms.ChoiceField(required=False, label="Client", widget=LongSelect)
    engineer_id = forms.ChoiceField(required=False, label="Engineer", widget=LongSelect)

    def __init__(self, data: QueryDict, *, viewer: User, account: Account) -> None:
        super().__init__(data)
        fields: dict[str, Any] = self.fields
        fields["client_id"].choices = cache(client_choices)
        if viewer.leads_team:
            fields["engineer_id"].choices = cache(partial(engineer_choices, account))
        else:
            del fields["engineer_id"]
        if data.get("help"):  # all of them wait, and none has ended
            del fields["status"], fields["outcome"]
        for name in [name for name in fields if len(data.getlist(name)) > 1]:
            del fields[name]
