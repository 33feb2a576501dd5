"""The JSON API's ground: sign-in by token or login, the account in scope, one shape for every error.

The root URLconf joins each app's router to `api`.
"""

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Annotated, Any, NoReturn, TypeVar, cast

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from ninja import NinjaAPI, Query, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import HttpBearer, SessionAuth
from pydantic import AfterValidator, StringConstraints
from pydantic import ValidationError as SchemaError
from pydantic_core import PydanticCustomError

from resolutionflow.accounts.models import Account, ApiToken, User
from resolutionflow.accounts.scoping import AccountRequest
from resolutionflow.storable import UNSTORABLE
from resolutionflow.tenancy import account_scope

JSON = "application/json"
Operation = Callable[..., Any]
Body = TypeVar("Body", bound=Schema)
ACCOUNT = "The account's slug; super admins have to give it."
# Of every operation that has no schema of its parameters; read by `account_named`, declared for the document.
AccountSlug = Annotated[str | None, Query(None, description=ACCOUNT)]


class ErrorDetail(Schema):
    detail: str


class FieldFault(Schema):
    loc: list[str]
    msg: str
    type: str


class ValidationDetail(Schema):
    detail: list[FieldFault]


ERRORS: dict[int, Any] = {401: ErrorDetail, 403: ErrorDetail, 404: ErrorDetail, 422: ValidationDetail}


class TokenAuth(HttpBearer):
    openapi_description = "A token of yours; `manage.py create_api_token` prints one."

    def authenticate(self, request: HttpRequest, token: str) -> User:
        user = ApiToken.user_of(token)
        if user is None:
            # A call that names a token means it: the browser's login must not stand in for a wrong one.
            raise AuthenticationError
        request.user = user
        return user


class LoginAuth(SessionAuth):
    """The browser's login. It is an own class so that its docs say what it is."""

    openapi_description = "The login of the browser; what changes something needs the header X-CSRFToken."

    def __call__(self, request: HttpRequest) -> Any:
        # Whoever is not signed in is told that, rather than that a CSRF token is missing.
        return super().__call__(request) if request.user.is_authenticated else None


api = NinjaAPI(
    title="ResolutionFlow API",
    version="1",
    description="What the dashboards show, and what engineers and authors do, as JSON. Times are UTC with Z, ids are "
    "strings. Sign in with `Authorization: Bearer TOKEN`; tokens are made in the settings.",
    urls_namespace="api",
    auth=[TokenAuth(), LoginAuth()],
    docs_url="/docs",
    openapi_url="/openapi.json",
)


@api.exception_handler(Http404)
def not_found(request: HttpRequest, error: Exception) -> HttpResponse:
    return api.create_response(request, {"detail": str(error) or "Not found"}, status=404)


@api.exception_handler(ValidationError)
def bad_values(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Each fault as a FieldFault, whoever found it."""
    faults = [
        {"loc": [str(part) for part in fault["loc"]], "msg": fault["msg"], "type": fault["type"]}
        for fault in error.errors
    ]
    return api.create_response(request, {"detail": faults}, status=422)


@api.exception_handler(PermissionDenied)
def forbidden(request: HttpRequest, error: Exception) -> HttpResponse:
    return api.create_response(request, {"detail": str(error) or "Forbidden"}, status=403)


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
def database_away(request: HttpRequest, error: Exception) -> HttpResponse:
    """Left to the middleware that answers 503; under DEBUG the API would print a traceback itself."""
    raise error


def in_account(operation: Operation) -> Operation:
    """Puts the caller's account in scope; a super admin names it by `account=SLUG` on every call."""

    @wraps(operation)
    def wrapper(request: AccountRequest, *args: Any, **kwargs: Any) -> Any:
        request.account, request.now = account_named(request), timezone.now()
        with account_scope(request.account):
            return operation(request, *args, **kwargs)

    return wrapper


def account_named(request: HttpRequest) -> Account:
    """The account of the call. 403 where a super admin names none, 404 for an unknown or, from others, foreign one."""
    user, slug = cast(User, request.user), request.GET.get("account")
    if user.is_superuser:
        if not slug:
            raise HttpError(403, "Name an account")
        account = Account.objects.filter(slug=slug).first() if "\0" not in slug else None
    else:
        account = user.account if slug in (None, user.account and user.account.slug) else None
    if account is None:
        raise Http404("No such account")
    return account


def team_only(message: str) -> Callable[[Operation], Operation]:
    """403 with the message for everybody but team admins and super admins."""

    def decorate(operation: Operation) -> Operation:
        @wraps(operation)
        def wrapper(request: AccountRequest, *args: Any, **kwargs: Any) -> Any:
            if not request.user.leads_team:
                raise HttpError(403, message)
            return operation(request, *args, **kwargs)

        return wrapper

    return decorate


def own_sessions_only(message: str) -> Callable[[Operation], Operation]:
    """403 with the message for super admins, who have no sessions of their own."""

    def decorate(operation: Operation) -> Operation:
        @wraps(operation)
        def wrapper(request: AccountRequest, *args: Any, **kwargs: Any) -> Any:
            if not request.user.works_sessions:
                raise HttpError(403, message)
            return operation(request, *args, **kwargs)

        return wrapper

    return decorate


def refuse_invalid(*forms: BaseForm) -> None:
    """Raises the 422 that names each fault of a query string, which the forms read together."""
    faults = [fault for form in forms for fault in faults_of(form.errors)]
    if faults:
        raise ValidationError(faults)


def _storable(text: str) -> str:
    if UNSTORABLE.search(text):
        raise PydanticCustomError("value_error", "This text has characters that cannot be stored.")
    return text


Storable = AfterValidator(_storable)  # behind a length, or the fault speaks of items
Text = Annotated[str, Storable]
Given = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), Storable]


def body_of(schema: type[Schema], **example: Any) -> dict[str, Any]:
    """For `openapi_extra` of an operation that asks `read_body`: what it takes."""
    content = {JSON: {"schema": schema.model_json_schema(), "example": example}}
    return {"requestBody": {"required": True, "content": content}}


def read_body(request: HttpRequest, schema: type[Body]) -> Body:
    """What a call brings along. Raises the 422 that names each fault.

    An operation asks for it once it knows that the caller may do this at all: 403 and 404 come before 422.
    """
    try:
        value = json.loads(request.body, parse_constant=_no_number)
    except RequestDataTooBig:
        refuse_value("The body is too large.")
    except (ValueError, RecursionError):
        refuse_value("The body is not JSON.")
    try:
        return schema.model_validate(value)
    except SchemaError as error:
        raise ValidationError(
            [
                {"loc": ["body", *fault["loc"]], "msg": fault["msg"], "type": fault["type"]}
                for fault in error.errors(include_url=False, include_context=False, include_input=False)
            ]
        ) from None


def _no_number(constant: str) -> NoReturn:
    raise ValueError(constant)  # NaN and Infinity, which JSON does not have


def refuse_value(message: str, *where: str) -> NoReturn:
    """Raises the 422 for one value of the body."""
    raise ValidationError([{"loc": ["body", *where], "msg": message, "type": "value_error"}])


class ApiErrorMiddleware:
    """Gives a path or a method that the API does not have the API's own shape of error."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        words = {404: "Not found", 405: "Method not allowed"}.get(response.status_code)
        if words and request.path.startswith("/api/") and not response["Content-Type"].startswith(JSON):
            allowed = {"Allow": response["Allow"]} if "Allow" in response else {}
            return JsonResponse(
                {"detail": words},
                status=response.status_code,
                headers=allowed,
                content_type=f"{JSON}; charset=utf-8",
            )
        return response


def faults_of(errors: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "loc": ["query"] if name == "__all__" else ["query", name],
            "msg": str(message),
            "type": "value_error",
        }
        for name, messages in errors.items()
        for message in messages
    ]
