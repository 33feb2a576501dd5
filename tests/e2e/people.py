"""Signing in: through the form where that is the point, by cookie everywhere else."""

from django.conf import settings
from django.test import Client
from playwright.sync_api import Page

from resolutionflow.models import User

PASSWORD = "correct horse battery"


def give_password(user: User, password: str = PASSWORD) -> User:
    user.set_password(password)
    user.save()
    return user


def fill_in(page: Page, user: User, password: str = PASSWORD) -> None:
    """Fills in the sign-in form that is open and sends it."""
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def log_in(page: Page, user: User) -> None:
    """Makes the browser that of `user`, without a page being opened."""
    client = Client()
    client.force_login(user)
    page.context.add_cookies(
        [
            {
                "name": settings.SESSION_COOKIE_NAME,
                "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
                "url": page.context.base_address,
                "httpOnly": True,
                "sameSite": "Lax",
            }
        ]
    )


def log_out(page: Page) -> None:
    """What an expired login leaves: the cookie is gone, the page still stands."""
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
