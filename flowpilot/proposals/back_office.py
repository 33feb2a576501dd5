"""Review in Django admin: the same acts and the same faults as on the proposal's page."""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from flowpilot.flows.comparing import changes_between
from flowpilot.flows.outline import outline
from flowpilot.proposals import reviewing
from flowpilot.proposals.evidence import Evidence
from flowpilot.proposals.models import FlowProposal
from resolutionflow.accounts.models import User
from resolutionflow.administration.forms import WholeRowForm
from resolutionflow.administration.tenant import TenantAdmin
from resolutionflow.figures import counted, said

APPROVE, EDIT, REJECT, DISMISS = "approve", "edit", "reject", "dismiss"
DECIDING = ("decision", "note")
NAMED = 3  # faults of a structure in a message


class ReviewForm(WholeRowForm):
    """One decision, and what is said with it."""

    decision = forms.ChoiceField(
        choices=[
            ("", "---------"),
            (APPROVE, "Approve and publish"),
            (EDIT, "Edit & publish: opens the editor"),
            (REJECT, "Reject"),
            (DISMISS, "Dismiss"),
        ]
    )
    note = forms.CharField(
        required=False,
        max_length=reviewing.NOTE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Why. It has to be given for a rejection.",
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("decision") == REJECT and not data.get("note"):
            self.add_error("note", "Say why: the next reviewer of this problem reads it.")
        return data


def _in_the_way(refused: reviewing.DraftInTheWay) -> SafeString:
    """What can be done about it: to put the proposal in the draft's place is offered on the proposal's page alone."""
    return format_html(
        '{} Nothing has changed. <a href="{}">Open that draft</a> to publish or discard it, or choose '
        '“Edit &amp; publish” on <a href="{}">the page of the proposal</a>, which shows both and can put it in '
        "the place of that draft.",
        refused.whose,
        reverse("flows:edit", args=[refused.draft.flow_id]),
        reverse("proposals:detail", args=[refused.proposal.id]),
    )


def _in_short(invalid: reviewing.Invalid) -> str:
    """The first faults; the editor shows all of them."""
    faults = [str(fault) for fault in invalid.faults]
    more = f" And {counted(len(faults) - NAMED, 'further fault')}." if len(faults) > NAMED else ""
    return " ".join(faults[:NAMED]) + more


class FlowProposalAdmin(TenantAdmin):
    """Only what waits can be decided. What a proposal says is never edited by hand."""

    facts = True
    form = ReviewForm
    actions = ("approve_selected", "dismiss_selected")
    list_display = ("short_title", "kind", "domain", "status", "sure", "rests_on", "created_at")
    list_filter = ("status", "kind")
    list_select_related = ("domain",)
    search_fields = ("title", "summary")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")
    readonly_fields = (
        *("page", "title", "kind", "domain_name", "target", "summary", "sure", "rests_on", "steps"),
        *("status", "created_at", "reviewed_by", "reviewed_at", "review_note"),
    )

    def get_fields(self, request: HttpRequest, obj: FlowProposal | None = None) -> Any:
        decided = DECIDING if self.has_change_permission(request, obj) else ()
        return (*self.readonly_fields, *decided)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (
            self.has_view_permission(request, obj)
            and ModelAdmin.has_change_permission(self, request, obj)
            and (obj is None or obj.status == FlowProposal.Status.PENDING)
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What an act refuses is said above the proposal as it stands then."""
        if request.method == "POST" and object_id and self.has_change_permission(request):
            proposal = self.get_object(request, object_id)
            if proposal.status != FlowProposal.Status.PENDING:
                messages.error(request, str(reviewing.AlreadyReviewed(proposal)))
                return redirect(request.path)
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except reviewing.DraftInTheWay as refused:
            messages.error(request, _in_the_way(refused))
            return redirect(request.path)
        except reviewing.Invalid as invalid:
            messages.error(request, _in_short(invalid))
            return redirect(request.path)
        except reviewing.Refused as refused:
            messages.error(request, str(refused))
            return redirect(request.path)

    def save_model(
        self, request: HttpRequest, obj: FlowProposal, form: forms.ModelForm, change: bool
    ) -> None:
        user, now = cast(User, request.user), timezone.now()
        decision, note = form.cleaned_data["decision"], form.cleaned_data["note"]
        if decision == APPROVE:
            reviewing.approve(obj.id, user=user, now=now)
        elif decision == REJECT:
            reviewing.reject(obj.id, reason=note, user=user, now=now)
        elif decision == DISMISS:
            reviewing.dismiss(obj.id, note=note, user=user, now=now)
        else:
            reviewing.open_draft(obj.id, user=user, now=now)

    def response_change(self, request: HttpRequest, obj: FlowProposal) -> HttpResponse:
        proposal = FlowProposal.objects.select_related("account", "reviewed_by").get(id=obj.id)
        if proposal.status == FlowProposal.Status.PENDING and proposal.draft_flow_id:
            return redirect("flows:edit", proposal.draft_flow_id)
        messages.success(request, reviewing.decision_in_words(proposal))
        return redirect("admin:flowpilot_flowproposal_changelist")

    @admin.action(description="Approve and publish the selected proposals", permissions=["change"])
    def approve_selected(self, request: HttpRequest, proposals: QuerySet[FlowProposal]) -> None:
        self._each(request, proposals, reviewing.approve, "approved and published")

    @admin.action(description="Dismiss the selected proposals", permissions=["change"])
    def dismiss_selected(self, request: HttpRequest, proposals: QuerySet[FlowProposal]) -> None:
        self._each(request, proposals, reviewing.dismiss, "dismissed")

    def _each(
        self, request: HttpRequest, proposals: QuerySet[FlowProposal], act: Callable[..., Any], did: str
    ) -> None:
        done = 0
        rows: list[tuple[UUID, str]] = list(proposals.values_list("id", "title"))
        for id_, title in rows:
            try:
                act(id_, user=cast(User, request.user), now=timezone.now())
                done += 1
            except reviewing.Invalid as invalid:
                messages.error(request, f"“{title}”: {_in_short(invalid)}")
            except reviewing.Refused as refused:
                messages.error(request, f"“{title}”: {refused}")
        if done:
            messages.success(request, f"{counted(done, 'proposal')} {did}.")

    @admin.display(description="With all its evidence")
    def page(self, proposal: FlowProposal) -> SafeString:
        return format_html('<a href="{}">Open its page</a>', reverse("proposals:detail", args=[proposal.id]))

    @admin.display(description="Title", ordering="title")
    def short_title(self, proposal: FlowProposal) -> str:
        return Truncator(proposal.title).chars(90)

    @admin.display(description="Domain")
    def domain_name(self, proposal: FlowProposal) -> str:
        return proposal.domain.name if proposal.domain else "–"

    @admin.display(description="Flow to change")
    def target(self, proposal: FlowProposal) -> str:
        return proposal.target_flow.name if proposal.target_flow else "–"

    @admin.display(description="Sure", ordering="confidence")
    def sure(self, proposal: FlowProposal) -> str:
        return said(proposal.confidence, "share")

    @admin.display(description="Rests on")
    def rests_on(self, proposal: FlowProposal) -> str:
        evidence = Evidence.read(proposal.evidence)
        if evidence.change and evidence.change.by_thumbs:
            return f"{evidence.change.n:,} of {counted(evidence.change.of, 'thumb')}"
        return counted(len(evidence.sessions), "session")

    @admin.display(description="Steps")
    def steps(self, proposal: FlowProposal) -> SafeString:
        """Of a change what differs from the flow as it runs now."""
        version = proposal.target_flow.current_version if proposal.target_flow else None
        if version:
            brief = changes_between(version.structure, proposal.structure).brief
            lines = [(f"{title}: {'. '.join(words)}",) for title, words in brief]
        else:
            lines = [(f"{step.number}. {step.name}",) for step in outline(proposal.structure)]
        return format_html_join("", "{}<br>", lines)
