"""The digest as a mail: a plain part and an HTML part that say the same and ask nobody for anything."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import date_format

from analytics.digest.contents import contents
from analytics.digest.weeks import period_of
from analytics.query import DashboardQuery
from resolutionflow.accounts.models import Account, User
from resolutionflow.figures import counted

SIGNER = signing.Signer(sep=".", salt="analytics.digest.unsubscribe")


def compose(user: User, account: Account, week: date, *, now: datetime) -> EmailMultiAlternatives:
    """The person's digest of the week before that Monday; the account is in scope."""
    own = not user.leads_team
    query = DashboardQuery(
        url_name="analytics:me" if own else "analytics:team",
        viewer=user,
        account=account,
        now=now,
        period=period_of(week, now=now, tz=account.tz),
        engineer=user if own else None,
        own=own,
    )
    found = contents(query)
    unsubscribe = absolute(reverse("digest:unsubscribe", args=[token_of(user)]))
    days = _days(query.period.first, query.period.last)
    context: dict[str, Any] = {
        "contents": found,
        "own": own,
        "user": user,
        "account": account,
        "days": days,
        "base": settings.BASE_URL,
        "page_url": absolute(query.page(**query.period.query)),
        "profile_url": absolute(reverse("settings:profile")),
        "unsubscribe_url": unsubscribe,
    }
    count = counted(found.sessions, "session") if found.sessions else "no session"
    whose = "Your week" if own else " ".join(account.name.split())
    mail = EmailMultiAlternatives(
        subject=f"{whose}, {days}: {count}",
        body=render_to_string("digest/mail.txt", context),
        to=[user.email],
        headers={
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
    )
    mail.attach_alternative(render_to_string("digest/mail.html", context), "text/html")
    return mail


def absolute(path: str) -> str:
    return f"{settings.BASE_URL}{path}"


def token_of(user: User) -> str:
    """Opens nothing but the end of this person's digest, and does so for good."""
    return SIGNER.sign(str(user.id))


def user_of(token: str) -> User | None:
    try:
        return User.objects.filter(id=UUID(SIGNER.unsign(token))).first()
    except (signing.BadSignature, ValueError):
        return None


def _days(first: date, last: date) -> str:
    form = "j" if first.month == last.month else "j M" if first.year == last.year else "j M Y"
    return f"{date_format(first, form)} – {date_format(last, 'j M Y')}"
