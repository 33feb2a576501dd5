"""Where authors bring in a flow from a file or from pasted text, and are told what is wrong with it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from flowpilot.flows import drafting, importing
from flowpilot.flows.files import LARGEST, FlowFile, Refused, decoded
from flowpilot.flows.models import Flow
from flowpilot.flows.outline import outline
from flowpilot.flows.structure import Fault, faults_of
from resolutionflow.accounts.scoping import AccountRequest, account_required
from resolutionflow.figures import counted
from resolutionflow.folding import by_name
from resolutionflow.long_select import LongSelect

NOT_AN_AUTHOR = "Flows are imported by their authors. A team admin can let you write flows."


class ImportForm(forms.Form):
    file = forms.FileField(
        required=False,
        allow_empty_file=True,
        help_text=f"JSON or Mermaid, at most {LARGEST // 1_000_000} MB.",
    )
    text = forms.CharField(
        required=False,
        strip=False,
        label="Or paste it here",
        help_text="A file that you choose takes the place of this text.",
        widget=forms.Textarea({"rows": 12, "spellcheck": "false", "autocomplete": "off"}),
    )
    into = forms.UUIDField(
        required=False,
        label="Import into",
        widget=LongSelect(),
        help_text="Of an existing flow the steps of its draft are replaced, which can be undone in the editor.",
    )
    name = forms.CharField(
        required=False,
        max_length=300,
        help_text="Of a new flow. Leave it empty to take the name from the file.",
    )
    anyway = forms.BooleanField(required=False)

    def __init__(self, data: QueryDict | None = None, files: Any = None, *, into: str = "") -> None:
        super().__init__(data, files, initial={"into": into})
        flows = Flow.objects.exclude(status=Flow.Status.ARCHIVED).order_by(*by_name()).only("name", "account")
        self.flows = {flow.id: flow for flow in flows}
        choices: Any = self.fields["into"].widget
        choices.choices = [
            ("", "A new flow"),
            *((str(id_), f"Draft of {flow.name}") for id_, flow in self.flows.items()),
        ]

    def clean_into(self) -> Flow | None:
        id_: UUID | None = self.cleaned_data["into"]
        if id_ and id_ not in self.flows:
            raise ValidationError("Choose one of the flows.")
        return self.flows[id_] if id_ else None

    def clean(self) -> dict[str, Any]:
        file, text = self.cleaned_data.get("file"), self.cleaned_data.get("text")
        if not file and not text and not self.errors:
            raise ValidationError("Choose a file or paste a text.")
        return self.cleaned_data

    def content(self) -> str:
        """What is to be read; that of a file stands in the text from then on, to come back with it. Raises Refused."""
        file = self.cleaned_data["file"]
        if not file:
            return str(self.cleaned_data["text"])
        content = decoded(file.read(LARGEST + 1))
        self.data = {**dict(self.data.items()), "text": content.replace("\0", "�")}
        return content


@dataclass(frozen=True)
class Report:
    """What is wrong: (step, message) each. `keepable`: it may become a draft although."""

    lines: list[tuple[str, str]]
    keepable: bool
    hints: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        faults = counted(len(self.lines), "fault")
        return f"{faults} to mend before it can be published" if self.keepable else f"Not imported: {faults}"


@require_http_methods(["GET", "POST"])
@account_required
def import_flow(request: AccountRequest) -> HttpResponse:
    """A faulty file comes back with its report; whatever may become a draft can be imported with its faults."""
    if not request.user.writes_flows:
        raise PermissionDenied(NOT_AN_AUTHOR)
    if request.method != "POST":
        return _page(request, ImportForm(into=request.GET.get("flow", "")))
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form)
    try:
        file = importing.read(form.content())
    except Refused as refused:
        return _page(request, form, Report([_line(fault, {}) for fault in refused.faults], keepable=False))
    faults = faults_of(file.structure)
    if faults and not form.cleaned_data["anyway"]:
        titles = {step.id: step.title for step in outline(file.structure)}
        lines = [_line(fault, titles) for fault in faults]
        return _page(request, form, Report(lines, keepable=True, hints=file.hints))
    flow = _import(request, form, file)
    if flow is None:
        return _page(request, form)
    left = f" It has {counted(len(faults), 'fault')} to mend before it can be published." if faults else ""
    messages.success(
        request, f"{flow.name}: {counted(len(outline(file.structure)), 'step')} imported as a draft.{left}"
    )
    for hint in file.hints[:5]:
        messages.warning(request, hint)
    return redirect("flows:detail", flow.id)


def _import(request: AccountRequest, form: ImportForm, file: FlowFile) -> Flow | None:
    """None where it could not be; the form says why."""
    flow: Flow | None = form.cleaned_data["into"]
    try:
        if flow:
            importing.into_draft(file, flow, user=request.user, now=request.now)
            return flow
        name = form.cleaned_data["name"] or file.name.strip()
        return importing.as_new_flow(file, name=name, user=request.user, now=request.now)
    except drafting.Stale:
        form.add_error("into", "Somebody saved this draft just now. Look at it, then import again.")
    except ValidationError as error:
        for field, messages_ in error.message_dict.items():
            missing = field == "name" and not name
            words = ["The file says no name: give the flow one."] if missing else messages_
            form.add_error("name" if field in ("name", "__all__") else None, words)
    return None


def _line(fault: Fault, titles: dict[str, str]) -> tuple[str, str]:
    """The step by its title and id, and the message."""
    title = titles.get(fault.node_id, "")
    where = f"{title} ({fault.node_id})" if title and title != fault.node_id else fault.node_id
    return where, fault.message


def _page(request: AccountRequest, form: ImportForm, report: Report | None = None) -> HttpResponse:
    context = {"form": form, "report": report, "trail": [("Flows", reverse("flows:list"))]}
    return render(request, "flows/import.html", context, status=422 if report or form.errors else 200)
