"""Clients and domains are kept alike: names that sessions bear, told apart by nothing but their case-blind spelling."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, ForeignKey, QuerySet

from flowpilot.models import Client, Domain, Flow
from flowpilot.sessions.filters import SessionFilterForm
from resolutionflow.accounts.scoping import AccountRequest
from resolutionflow.links import url_with
from resolutionflow.tenancy.models import TenantModel
from resolutionflow.tenancy.schema import tenant_models

Entry = Client | Domain


@dataclass(frozen=True)
class Kind:
    """`noun` names its routes and its acts in the audit trail, `filter` the parameter of the session list."""

    model: type[Entry]
    noun: str
    what: str
    fields: tuple[str, ...]
    filter: str

    @property
    def entries(self) -> QuerySet[Any]:
        """Those of the account in scope."""
        return self.model._default_manager.all()

    @property
    def plural(self) -> str:
        return f"{self.noun}s"

    @property
    def title(self) -> str:
        return self.plural.capitalize()

    @property
    def has_flows(self) -> bool:
        return self.model is Domain

    def url(self, act: str = "", *args: Any, **parameters: Any) -> str:
        name = f"settings:{self.noun}-{act}" if act else f"settings:{self.plural}"
        return url_with(name, parameters, *args)


CLIENTS = Kind(
    Client, "client", "The customers that sessions are for.", ("name", "psa_company_id"), "client_id"
)
DOMAINS = Kind(
    Domain, "domain", "The fields of problems that sessions and flows belong to.", ("name",), "domain_id"
)


def referring(model: type[TenantModel]) -> Iterator[tuple[type[TenantModel], str]]:
    """Every table that refers to the model, with its column: whatever comes later is merged and counted too."""
    for other in tenant_models():
        for field in other._meta.concrete_fields:
            if isinstance(field, ForeignKey) and field.related_model is model:
                yield other, field.name


def is_used(entry: Entry) -> bool:
    return any(model.objects.filter(**{name: entry}).exists() for model, name in referring(type(entry)))


def sessions_of(kind: Kind, ids: Iterable[UUID], request: AccountRequest) -> dict[UUID, int]:
    """How many sessions the list shows of each; none where there is none."""
    form = SessionFilterForm({"period": "all"}, viewer=request.user, account=request.account, now=request.now)
    column = kind.filter
    counted = (
        form.sessions().filter(**{f"{column}__in": list(ids)}).values(column).annotate(count=Count("pk"))
    )
    return {row[column]: row["count"] for row in counted}


def sessions_href(kind: Kind, entry: Entry) -> str:
    """The list of just these sessions."""
    return url_with("sessions:list", {"period": "all", kind.filter: entry.id})


def flows_of(ids: Iterable[UUID]) -> dict[UUID, int]:
    """How many flows each domain has, archived ones too."""
    counted = Flow.objects.filter(domain__in=list(ids)).values("domain_id").annotate(count=Count("pk"))
    return {row["domain_id"]: row["count"] for row in counted}
