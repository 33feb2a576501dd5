from resolutionflow.accounts.models import Account, ApiToken, AuditEntry, Role, User
from resolutionflow.jobs.models import JobFailure
from resolutionflow.limits import RecentCalls

__all__ = ["Account", "ApiToken", "AuditEntry", "JobFailure", "RecentCalls", "Role", "User"]
