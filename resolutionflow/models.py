from resolutionflow.accounts.models import Account, ApiToken, AuditEntry, Role, User
from resolutionflow.jobs.models import JobFailure

__all__ = ["Account", "ApiToken", "AuditEntry", "JobFailure", "Role", "User"]
