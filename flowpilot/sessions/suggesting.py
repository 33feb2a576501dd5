"""What the start of a session is offered for a problem: flows, a domain, and what solved the like before."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import Coalesce, Concat

from flowpilot.flows.models import Domain, Flow
from flowpilot.flows.search import has, words_of
from flowpilot.matching.matching import Assessment, assess, tier_of
from flowpilot.sessions.states import Tier
from resolutionflow.accounts.models import Account, User
from resolutionflow.folding import by_name, folded

OFFERED = 8
FIND_LENGTH = 200


@dataclass(frozen=True)
class Asked:
    """What a form has so far. `suggested` and `suggested_domain` are what was offered with it: where it has something
    else, that was picked by hand."""

    problem: str = ""
    find: str = ""
    flow: UUID | None = None
    suggested: UUID | None = None
    domain: UUID | None = None
    suggested_domain: UUID | None = None


def problem_of(summary: str, description: str) -> str:
    """One text of the two fields, for the matching."""
    return f"{summary}\n{description}"


def suggestions(asked: Asked, user: User, account: Account) -> dict[str, Any]:
    """The context of the panel. What was picked by hand stays picked; else that is picked which fits best."""
    assessment = assess(account, asked.problem)
    matches = {match.flow.id: match for match in assessment.matches}
    best = assessment.matches[0].flow if assessment.tier != Tier.DISCOVERY else None
    picked = best
    if asked.flow != asked.suggested:
        picked = published().filter(id=asked.flow).first() if asked.flow else None
    anything = asked.find or not asked.problem.strip()
    found = list(_with_words(asked.find)[: OFFERED + 1]) if anything else []
    shown = found[:OFFERED] or ([] if asked.find else [match.flow for match in assessment.matches])
    if picked and picked not in shown:
        shown = [picked, *shown]
    domain, by_hand = assessment.domain, asked.domain != asked.suggested_domain
    return {
        "problem": asked.problem.strip(),
        "find": asked.find,
        "flows": [(flow, matches.get(flow.id)) for flow in shown],
        "picked": picked,
        "best": best,
        "tier": assessment.tier,
        "more": len(found) > OFFERED,
        "found": bool(found or matches),
        "any": bool(found or matches) or published().exists(),
        "domains": Domain.objects.order_by(*by_name()),
        "domain": asked.domain if by_hand else domain and domain.id,
        "suggested_domain": domain,
        "similar": [(one, user.leads_team or one.user_id == user.id) for one in assessment.similar],
        "tz": account.tz,
    }


def tier_and_confidence(
    account: Account, assessment: Assessment, flow: Flow | None, *, by_hand: bool
) -> tuple[Tier, float | None]:
    """How a session with this flow begins. What was picked by hand guides, however well it fits, and so does what fits
    too little to have been suggested; without a flow there is nothing to be sure of."""
    if flow is None:
        return Tier.DISCOVERY, None
    score = assessment.scores.get(flow.id)
    tier = Tier.GUIDED if by_hand else tier_of(account, score)
    return (Tier.GUIDED if tier == Tier.DISCOVERY else tier), score


def published() -> QuerySet[Flow]:
    """The flows that a session can run, the most used first."""
    return (
        Flow.objects.filter(status=Flow.Status.PUBLISHED, current_version__isnull=False)
        .select_related("domain")
        .order_by("-usage_count", *by_name())
    )


def _with_words(find: str) -> QuerySet[Flow]:
    """The flows with every word typed."""
    flows = published()
    parts = "name", Value(" "), "description", Value(" "), Coalesce("domain__name", Value(""))
    about = folded(Concat(*parts, output_field=TextField()))
    for word in words_of(find):
        flows = flows.filter(Q(has(word, about)) | Q(has(word, F("current_version__step_texts"))))
    return flows
