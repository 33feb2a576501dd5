"""What the analysis remembers between its runs: problems, and which sessions are about which."""

from typing import ClassVar

from django.db import models
from django.db.models import Q, Value

from flowpilot.flows.models import Domain, Flow
from flowpilot.proposals.models import FlowProposal
from flowpilot.sessions.models import Session
from resolutionflow.tenancy.models import TenantForeignKey, TenantModel, TenantOneToOneField


class Problem(TenantModel):
    """Sessions about the same thing, one or many: a session that comes alone waits here for others like it.

    It is either a problem that no flow guides, within a domain or none, or what engineers did beside a published flow
    that they left at one of its questions (`flow`, `node_id`). `words` are {stem: weight}, summed over its sessions,
    `step_words` those of what was done. `due` says that its proposal is to be looked at, since a session
    came to it. `proposal` is the newest one about it, `wording` what a language model made of the texts of that
    proposal, `wording_due` whether it is to be asked.
    """

    domain = TenantForeignKey(Domain, models.PROTECT, null=True, blank=True, related_name="+")
    flow = TenantForeignKey(Flow, models.PROTECT, null=True, blank=True, related_name="+")
    node_id = models.CharField(max_length=100, blank=True, default="")
    words = models.JSONField(default=dict)
    step_words = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))
    session_count = models.PositiveIntegerField(default=0)
    due = models.BooleanField(default=True)
    proposal = TenantForeignKey(FlowProposal, models.PROTECT, null=True, blank=True, related_name="+")
    wording = models.JSONField(default=dict, blank=True)
    wording_due = models.BooleanField(default=False)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "proposal"], name="problem_once_a_proposal"),
            models.CheckConstraint(
                name="problem_at_a_step_of_a_flow",
                condition=Q(flow__isnull=True, node_id="") | (Q(flow__isnull=False) & ~Q(node_id="")),
            ),
        ]

    def __str__(self) -> str:
        return ", ".join(sorted(self.words, key=lambda word: (-self.words[word], word))[:5])


class ProblemSession(TenantModel):
    """That a session is about a problem: about one at most, which the database keeps."""

    problem = TenantForeignKey(Problem, models.CASCADE, related_name="+")
    session = TenantOneToOneField(Session, models.CASCADE, related_name="+")

    class Meta(TenantModel.Meta):
        indexes: ClassVar = [models.Index(fields=["account", "problem"], name="problem_session_by_problem")]

    def __str__(self) -> str:
        return str(self.session_id)
