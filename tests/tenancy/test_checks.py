"""A model that breaks a rule of tenancy stops the start."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.core.checks import run_checks
from django.db import models
from django.db.models.functions import Lower

from flowpilot.models import Domain
from resolutionflow.models import Account, User
from resolutionflow.tenancy.checks import faults_of
from resolutionflow.tenancy.models import OwnerForeignKey, TenantForeignKey, TenantManager, TenantModel


def faults(model):
    return [(fault.id.removeprefix("tenancy."), fault.msg) for fault in faults_of(model)]


def tenant(label, bases=(TenantModel,), meta=None, **fields):
    options = type("Meta", (TenantModel.Meta,), {"app_label": "flowpilot", "abstract": False} | (meta or {}))
    return type(label, bases, {"__module__": __name__, "Meta": options, **fields})


@pytest.fixture(autouse=True)
def _as_if_they_had_never_been():
    """The models of the tests stand in the real registry, where Account and Domain are, and leave it again."""
    known = dict(apps.all_models["flowpilot"])
    yield
    apps.all_models["flowpilot"].clear()
    apps.all_models["flowpilot"].update(known)
    apps.clear_cache()


def test_the_models_of_the_product_keep_the_rules():
    assert [fault for fault in run_checks() if fault.id.startswith("tenancy.")] == []


def test_a_model_that_keeps_them():
    model = tenant(
        "Kept",
        user=OwnerForeignKey(),
        by=models.ForeignKey(User, models.PROTECT, related_name="+"),
        domain=TenantForeignKey(Domain, models.PROTECT, related_name="+"),
        name=models.CharField(max_length=10),
        meta={
            "constraints": [models.UniqueConstraint("account", Lower("name"), name="kept_name_once")],
            "indexes": [models.Index(fields=["account", "-name"], name="kept_by_name")],
        },
    )
    assert faults(model) == []


def test_a_column_unique_over_all_accounts():
    model = tenant("Unique", code=models.CharField(max_length=10, unique=True))
    assert faults(model) == [
        ("E001", "flowpilot.Unique.code is unique over all accounts. Use a UniqueConstraint.")
    ]


def test_a_relation_from_outside():
    class Outside(models.Model):  # noqa: DJ008 - never stored
        domain = models.ForeignKey(Domain, models.PROTECT, related_name="+")

        class Meta:
            app_label = "flowpilot"

    assert [number for number, _ in faults(Outside)] == ["E002"]


def test_a_relation_that_does_not_carry_the_account():
    model = tenant("Plain", domain=models.ForeignKey(Domain, models.PROTECT, related_name="+"))
    assert [number for number, _ in faults(model)] == ["E003"]


def test_a_relation_to_a_framework_table():
    model = tenant("Grouped", group=models.ForeignKey(Group, models.PROTECT, related_name="+"))
    assert [number for number, _ in faults(model)] == ["E004"]


def test_an_owner_that_may_be_of_another_account():
    model = tenant("Owned", user=models.ForeignKey(User, models.PROTECT, related_name="+"))
    assert [number for number, _ in faults(model)] == ["E005"]


def test_a_many_to_many():
    model = tenant("Many", accounts=models.ManyToManyField(Account, related_name="+"))
    assert [number for number, _ in faults(model)] == ["E006"]


@pytest.mark.parametrize(
    "meta",
    [
        {"constraints": [models.UniqueConstraint(fields=["name"], name="a")]},
        {"constraints": [models.UniqueConstraint(fields=["name", "account"], name="b")]},
        {"constraints": [models.UniqueConstraint(Lower("name"), "account", name="c")]},
        {"indexes": [models.Index(fields=["name"], name="d")]},
        {"indexes": [models.Index(Lower("name"), name="e")]},
        {"unique_together": [("account", "name")]},
    ],
    ids=[
        "unique",
        "unique, account last",
        "unique expression",
        "index",
        "index expression",
        "unique_together",
    ],
)
def test_a_key_that_is_not_led_by_the_account(meta):
    model = tenant("Led", name=models.CharField(max_length=10), meta=meta)
    assert [number for number, _ in faults(model)] == ["E007"]


@pytest.mark.parametrize(
    "managers",
    [{"objects": models.Manager()}, {"objects": TenantManager(), "everything": models.Manager()}],
    ids=["its only one", "a second one"],
)
def test_a_manager_that_ignores_the_scope(managers):
    assert [number for number, _ in faults(tenant("Managed", **managers))] == ["E009"]
