import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

KEY = re.compile(r"[a-z0-9]{32}")


class LoginCookieMiddleware:
    """Takes a login cookie that we cannot have set for none: the database would refuse what some of them hold."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        if key is not None and not KEY.fullmatch(key):
            del request.COOKIES[settings.SESSION_COOKIE_NAME]
        return self.get_response(request)
