"""Flows that are out of use: nobody starts them any more, and their sessions, versions and figures stay."""

from uuid import UUID

from django.db import transaction

from flowpilot.flows.models import Flow
from resolutionflow.accounts.models import AuditEntry, User


@transaction.atomic
def archive(flow_id: UUID, *, user: User) -> Flow:
    """Once more changes nothing. Raises Flow.DoesNotExist."""
    flow = _locked(flow_id)
    if flow.status != Flow.Status.ARCHIVED:
        _set(flow, Flow.Status.ARCHIVED, "flow.archived", user)
    return flow


@transaction.atomic
def restore(flow_id: UUID, *, user: User) -> Flow:
    """Published again if it has a version, else a draft. Raises ValidationError where its name is taken meanwhile."""
    flow = _locked(flow_id)
    if flow.status == Flow.Status.ARCHIVED:
        status = Flow.Status.PUBLISHED if flow.current_version_id else Flow.Status.DRAFT
        flow.status = status
        flow.validate_constraints(exclude=["account"])
        _set(flow, status, "flow.restored", user)
    return flow


def _locked(flow_id: UUID) -> Flow:
    flow: Flow = Flow.objects.select_for_update().get(id=flow_id)
    return flow


def _set(flow: Flow, status: Flow.Status, action: str, user: User) -> None:
    flow.status = status
    flow.save(update_fields=["status", "updated_at"])
    AuditEntry.record(action, actor=user, account=flow.account, object=flow.name)
