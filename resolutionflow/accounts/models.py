"""Accounts, their users, API tokens and the audit trail: read before or outside a scope, so no tenant tables."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from uuid6 import uuid7

from resolutionflow.accounts.languages import LANGUAGES
from resolutionflow.accounts.zones import validate_time_zone

ANONYMISED_HOST = "anonymised.invalid"  # .invalid takes no mail


class Account(models.Model):
    """One MSP, the tenant."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=200)
    slug = models.SlugField(unique=True)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    idle_limit = models.DurationField(
        default=timedelta(hours=24),
        help_text="An active session without a sign of life for longer counts as given up.",
    )
    guided_threshold = models.FloatField(
        default=0.65,
        help_text="From this score on a flow that FlowPilot suggests guides the session.",
    )
    exploring_threshold = models.FloatField(
        default=0.3,
        help_text="From this score on a flow is offered as a start; below it nothing is.",
    )
    language = models.CharField(
        max_length=20,
        choices=LANGUAGES,
        default="english",
        help_text="In which problems and flows are written: words are compared without their endings.",
    )
    names_hidden = models.BooleanField(
        "hide names",
        default=False,
        help_text="Team pages, lists and exports show “Engineer 3” in place of a name.",
    )
    language_model_allowed = models.BooleanField(
        "let a language model improve wording",
        default=False,
        help_text="Titles and step names of proposed flows go to the language model of this installation.",
    )
    import_shift = models.JSONField(
        null=True,
        blank=True,
        editable=False,
        help_text="Weeks and moment of --shift-to-now; null before the first.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering: ClassVar = ["name", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(name="account_name_given", condition=~models.Q(name="")),
            models.CheckConstraint(
                name="account_idle_limit_within_a_year",
                condition=models.Q(idle_limit__gt=timedelta(0), idle_limit__lte=timedelta(days=366)),
                violation_error_message="The idle limit is above zero and at most 366 days.",
            ),
            models.CheckConstraint(
                name="account_thresholds_in_order",
                condition=models.Q(
                    exploring_threshold__gte=0,
                    exploring_threshold__lte=models.F("guided_threshold"),
                    guided_threshold__lte=1,
                ),
                violation_error_message="Exploring may not begin above guided, and both are from 0 to 100 %.",
            ),
            models.CheckConstraint(
                name="account_language_known",
                condition=models.Q(language__in=[language for language, _ in LANGUAGES]),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user of an account; without a password nobody can sign in as them until one is set by mail."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.full_clean()
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())


# What team admins may do in the back office, for rows of the own account.
TEAM_ADMIN_PERMISSIONS = frozenset({"flowpilot.view_flowproposal", "flowpilot.change_flowproposal"})


class Role(models.TextChoices):
    ENGINEER = "engineer", "Engineer"
    TEAM_ADMIN = "team_admin", "Team admin"


class State(models.TextChoices):
    """Whether a person can sign in; `User.state` tells which."""

    ACTIVE = "active", "Active"
    INVITED = "invited", "Invited"
    NO_PASSWORD = "no_password", "Not invited yet"
    DEACTIVATED = "deactivated", "Deactivated"


class User(AbstractBaseUser):
    """A person who signs in by email. A super admin runs the installation and may belong to no account."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, null=True, blank=True, related_name="users")
    email = models.EmailField(
        unique=True, error_messages={"unique": "A user with this email exists already."}
    )
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=20, choices=Role, default=Role.ENGINEER)
    is_superuser = models.BooleanField("super admin", default=False)
    can_author = models.BooleanField(
        "may write flows", default=False, help_text="Team admins always may; engineers where this is on."
    )
    step_hint_seen_at = models.DateTimeField(null=True, blank=True, editable=False)  # how to rate a step
    is_active = models.BooleanField(
        "active", default=True, help_text="Off: the person can no longer sign in."
    )
    weekly_digest = models.BooleanField(
        default=True, help_text="A mail with the week's figures, each Monday at 7:00."
    )
    invited_at = models.DateTimeField(null=True, blank=True, editable=False)  # the last invitation by mail
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = ["name"]
    objects = UserManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "id"], name="user_of_account"
            ),  # tenant keys refer to it
            models.CheckConstraint(
                name="user_has_account_or_is_super",
                condition=models.Q(account__isnull=False) | models.Q(is_superuser=True),
                violation_error_message="A user needs an account; only a super admin may have none.",
            ),
            models.CheckConstraint(name="user_email_is_lower_case", condition=models.Q(email=Lower("email"))),
            models.CheckConstraint(name="user_role_known", condition=models.Q(role__in=Role.values)),
            models.CheckConstraint(name="user_name_given", condition=~models.Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        self.email = self.email.strip().lower()

    def get_short_name(self) -> str:
        return self.name

    def deactivate(self, at: datetime) -> None:
        """Signs the person out everywhere, for good: neither an old login nor a token comes back with the person, who
        sets a new password by mail then."""
        self.is_active = False
        self.set_unusable_password()
        self.save(update_fields=["is_active", "password"])
        self.revoke_tokens(at)

    def revoke_tokens(self, at: datetime) -> int:
        """Ends every API token of the person that still works; how many that were."""
        return self.api_tokens.filter(revoked_at=None).update(revoked_at=at)

    @property
    def leads_team(self) -> bool:
        """Whether the person may see the team's figures: team admins and super admins."""
        return self.is_superuser or self.role == Role.TEAM_ADMIN

    @property
    def state(self) -> State:
        """Imported people have no password and may never have been invited."""
        if not self.is_active:
            return State.DEACTIVATED
        if self.has_usable_password():
            return State.ACTIVE
        return State.INVITED if self.invited_at else State.NO_PASSWORD

    @property
    def is_anonymised(self) -> bool:
        """Whether `anonymise_user` took the name and email; there is no way back."""
        return self.email.endswith(f"@{ANONYMISED_HOST}")

    @property
    def writes_flows(self) -> bool:
        """Whether the person may change, publish, import and archive flows."""
        return self.leads_team or self.can_author

    @property
    def works_sessions(self) -> bool:
        """Whether the person may have sessions and figures of their own: everybody but super admins."""
        return not self.is_superuser

    @property
    def role_label(self) -> str:
        return "Super admin" if self.is_superuser else Role(self.role).label

    # Django admin asks these. A team admin finds the proposals of the own account there, and nothing else.
    @property
    def is_staff(self) -> bool:
        return self.leads_team

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_active and (self.is_superuser or (self.leads_team and perm in TEAM_ADMIN_PERMISSIONS))

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and (
            self.is_superuser
            or (self.leads_team and any(perm.startswith(f"{app_label}.") for perm in TEAM_ADMIN_PERMISSIONS))
        )


class ApiToken(models.Model):
    """A key to the JSON API that acts as its user. Only its hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="api_tokens")
    label = models.CharField(max_length=100)
    hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API token"

    def __str__(self) -> str:
        return self.label

    @classmethod
    def issue(cls, user: User, label: str) -> tuple["ApiToken", str]:
        """A new token and its secret, which cannot be read again."""
        secret = f"rf_{secrets.token_urlsafe(32)}"
        return cls.objects.create(user=user, label=label, hash=cls.hash_of(secret)), secret

    @classmethod
    def user_of(cls, secret: str) -> User | None:
        """Whom the secret stands for; None if unknown, revoked, or the person is no longer active."""
        token = (
            cls.objects.select_related("user__account")
            .filter(hash=cls.hash_of(secret), revoked_at=None, user__is_active=True)
            .first()
        )
        return token.user if token else None

    @staticmethod
    def hash_of(secret: str) -> str:
        # The secret has 256 random bits: a plain digest cannot be guessed back, so no slow hash is needed.
        return hashlib.sha256(secret.encode()).hexdigest()

    def revoke(self, at: datetime) -> None:
        self.revoked_at = at
        self.save(update_fields=["revoked_at"])


class AuditEntry(models.Model):
    """One act that matters: who did what to which object, and when."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+")
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    action = models.CharField(max_length=60)
    object = models.CharField(max_length=200, blank=True)
    detail = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["-at", "-id"]
        indexes: ClassVar = [models.Index(fields=["account", "-at"], name="audit_by_account")]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.action} {self.object}".strip()

    @classmethod
    def record(
        cls, action: str, *, actor: User | None, account: Account | None, object: str = "", **detail: Any
    ) -> "AuditEntry":
        """Writes one entry; `actor` is None for a command of the operator."""
        return cls.objects.create(
            action=action, actor=actor, account=account, object=object[:200], detail=detail
        )
