from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower

from resolutionflow.storable import Named
from resolutionflow.tenancy.models import TenantModel


class Client(Named, TenantModel):
    """A customer of the MSP."""

    name = models.CharField(max_length=200)
    psa_company_id = models.CharField(max_length=100, null=True, blank=True)  # noqa: DJ001 - null: not linked

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                "account",
                Lower("name"),
                name="client_name_once_in_account",
                violation_error_message="A client with this name exists already.",
            ),
            models.CheckConstraint(name="client_name_given", condition=~models.Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name
