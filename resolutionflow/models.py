from resolutionflow.accounts.models import Account, ApiToken, AuditEntry, Role, User

__all__ = ["Account", "ApiToken", "AuditEntry", "Role", "User"]
