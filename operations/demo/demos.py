"""The demo accounts: who can sign in to them, and what loads them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from analytics.flow_quality import recalculate
from operations.demo.incident_log import loading as incident_log
from operations.demo.msp import loading as msp
from operations.demo.msp.learning import learn
from operations.importing.faults import Unusable
from operations.removing import remove_account
from resolutionflow.accounts.models import Account, User

# Public on purpose; load_demo refuses it where HTTPS is on.
PASSWORD = "look-around-2016"  # noqa: S105


@dataclass(frozen=True)
class Login:
    """Whom one can sign in as. No super admin: a password that everybody knows must reach no other account."""

    role: str
    email: str


class Load(Protocol):
    def __call__(
        self,
        account: Account | None,
        *,
        password_hash: str,
        now: datetime,
        progress: Callable[[int, int], None],
    ) -> str:
        """Makes the account, or what is missing of it; gives a line on what it has now."""


class Learn(Protocol):
    def __call__(self, account: Account, *, now: datetime) -> None:
        """What the team has learnt from the sessions of a new account."""


def nothing(account: Account, *, now: datetime) -> None:
    """An account of imported sessions alone teaches nothing."""


@dataclass(frozen=True)
class Demo:
    """One demo account. `load`, `is_loaded` and `learn` are those of its package."""

    name: str
    slug: str
    logins: tuple[Login, ...]
    is_loaded: Callable[[Account], bool]
    load_into: Load
    learn: Learn

    def account(self) -> Account | None:
        """None if there is none. Raises Unusable if somebody else's account bears its slug."""
        account = Account.objects.filter(slug=self.slug).first()
        if account and not account.users.filter(email=self.logins[0].email).exists():
            raise Unusable(f"The account {self.slug} is not the demo's; it is left alone.")
        return account

    def load(self, *, password_hash: str, now: datetime, progress: Callable[[int, int], None]) -> str:
        """Makes what is missing; raises Unusable where others have its slug or the email of one of its logins."""
        account = before = self.account()
        others = User.objects.filter(email__in=[login.email for login in self.logins])
        if others.exclude(account=account).exists():
            raise Unusable("A user outside of the demo has the email of a demo login.")
        summary = self.load_into(account, password_hash=password_hash, now=now, progress=progress)
        if account := self.account():
            if before is None:
                self.learn(account, now=now)
            recalculate(account, now=now)
        return summary

    def remove(self) -> None:
        if account := self.account():
            remove_account(account)


DEMOS = (
    Demo(
        name=msp.NAME,
        slug=msp.SLUG,
        logins=(Login("Team admin", msp.TEAM_ADMIN_EMAIL), Login("Engineer", msp.ENGINEER_EMAIL)),
        is_loaded=msp.is_loaded,
        load_into=msp.load,
        learn=learn,
    ),
    Demo(
        name=incident_log.NAME,
        slug=incident_log.SLUG,
        logins=(
            Login("Team admin", incident_log.TEAM_ADMIN_EMAIL),
            Login("Engineer", incident_log.ENGINEER_EMAIL),
        ),
        is_loaded=incident_log.is_loaded,
        load_into=incident_log.load,
        learn=nothing,
    ),
)
