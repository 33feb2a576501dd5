"""create_account, create_user, create_api_token and createsuperuser, as an operator types them."""

import io

import pytest
from django.core.management import call_command

from resolutionflow.management.refusing import Refused
from resolutionflow.models import Account, ApiToken, User
from resolutionflow.tests.factories import UserFactory


def run(*words):
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def refusal(*words):
    with pytest.raises(Refused) as refused:
        run(*words)
    assert refused.value.returncode == 2
    return str(refused.value)


def test_create_account(db):
    out = run("create_account", "O'Neil & <Söhne>", "--slug=oneil", "--timezone=Europe/Berlin")

    assert out == "The account oneil is made.\n"
    account = Account.objects.get()
    assert (account.name, account.slug, account.time_zone) == ("O'Neil & <Söhne>", "oneil", "Europe/Berlin")


def test_an_account_is_in_utc_unless_told(db):
    run("create_account", "Acme", "--slug=acme")

    assert Account.objects.get().time_zone == "UTC"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["", "--slug=new"], "name: This field cannot be blank."),
        (["x" * 201, "--slug=new"], "name: Ensure this value has at most 200 characters (it has 201)."),
        (["New", "--slug=no good"], "slug: Enter a valid “slug” consisting of letters, numbers, underscores or hyphens."),  # noqa: E501
        (["New", "--slug=northgate"], "slug: Account with this Slug already exists."),
        (["New", "--slug=new", "--timezone=Mars/Base"],
         "time_zone: “Mars/Base” is no known time zone. Use an IANA name such as Europe/London."),
    ],
)  # fmt: skip
def test_an_account_that_cannot_be(account, words, sentence):
    assert refusal("create_account", *words) == sentence
    assert Account.objects.count() == 1


def test_create_user(account):
    out = run(
        *("create_user", "Dana@Northgate.example", "--account=northgate", "--role=team_admin"),
        *("--name=Dana Whitfield", "--password=korrekt-pferd-9"),
    )

    assert out == "The team admin dana@northgate.example is made.\n"
    user = User.objects.get()
    assert (user.email, user.name, user.role, user.account) == (
        "dana@northgate.example",
        "Dana Whitfield",
        "team_admin",
        account,
    )
    assert user.check_password("korrekt-pferd-9")
    assert not user.is_superuser


def test_without_a_terminal_the_password_is_set_by_mail(account, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    out = run("create_user", "kim@northgate.example", "--account=northgate", "--role=engineer")

    assert out == (
        "The engineer kim@northgate.example is made. A password can be set by mail: Forgot your password?\n"
    )
    assert (User.objects.get().name, User.objects.get().has_usable_password()) == ("kim", False)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (["korrekt-pferd-9", "korrekt-pferd-8"], "The two passwords differ."),
        ([EOFError], "No password was given."),
        ([KeyboardInterrupt], "No password was given."),
        (["short", "short"], "This password is too short. It must contain at least 8 characters."),
    ],
)
def test_a_terminal_is_asked_twice(account, monkeypatch, typed, sentence):
    answers = iter(typed)

    def ask(prompt):
        answer = next(answers)
        if isinstance(answer, str):
            return answer
        raise answer

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", ask)

    assert (
        refusal("create_user", "kim@northgate.example", "--account=northgate", "--role=engineer") == sentence
    )
    assert not User.objects.exists()


def test_what_is_typed_twice_is_the_password(account, monkeypatch):
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda prompt: "korrekt-pferd-9")

    run("create_user", "kim@northgate.example", "--account=northgate", "--role=engineer")

    assert User.objects.get().check_password("korrekt-pferd-9")


@pytest.mark.parametrize(
    ("email", "options", "sentence"),
    [
        ("kim", [], "email: Enter a valid email address."),
        ("ENGINEER@northgate.example", [], "email: A user with this email exists already."),
        ("kim@x.example", ["--password=12345678"], "This password is too common."),
        ("kim@x.example", ["--account=eastgate"], "There is no account with the slug eastgate."),
    ],
)
def test_a_user_who_cannot_be(engineer, monkeypatch, email, options, sentence):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert refusal("create_user", email, "--account=northgate", "--role=engineer", *options) == sentence
    assert User.objects.count() == 1


def test_create_api_token_prints_the_token_alone(engineer):
    out = run("create_api_token", "Engineer@Northgate.example", "--name=Wallboard")

    assert out.count("\n") == 1
    assert ApiToken.user_of(out.strip()) == engineer
    assert ApiToken.objects.get().label == "Wallboard"
    assert out.strip() not in ApiToken.objects.get().hash


def test_a_token_that_cannot_be(engineer):
    UserFactory(account=engineer.account, email="gone@x.example", is_active=False)

    assert refusal("create_api_token", "kim@x.example") == "There is no user with the email kim@x.example."
    assert refusal("create_api_token", "gone@x.example") == "gone@x.example is not active."
    assert (
        refusal("create_api_token", engineer.email, "--name= ")
        == "The label has to have 1 to 100 characters."
    )
    assert not ApiToken.objects.exists()


def test_createsuperuser_makes_a_super_admin_without_an_account(db, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "korrekt-pferd-9")
    run("createsuperuser", "--noinput", "--email=Root@x.example", "--name=Root")

    user = User.objects.get()
    assert (user.email, user.is_superuser, user.account) == ("root@x.example", True, None)
    assert user.check_password("korrekt-pferd-9")
