"""The smallest valid rows: fixed dates, sequences, nothing random."""

import factory

from resolutionflow.models import Account, Role, User


class AccountFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Account

    name = factory.Sequence(lambda n: f"Account {n}")
    slug = factory.Sequence(lambda n: f"account-{n}")


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User

    account = factory.SubFactory(AccountFactory)
    email = factory.Sequence(lambda n: f"user{n}@example.com")
    name = factory.Sequence(lambda n: f"User {n}")
    role = Role.ENGINEER


class TeamAdminFactory(UserFactory):
    role = Role.TEAM_ADMIN


class SuperAdminFactory(UserFactory):
    account = None
    is_superuser = True
