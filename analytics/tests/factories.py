"""Rows of the account in scope."""

from datetime import date

import factory

from analytics.models import DigestDelivery
from flowpilot.tests.factories import TenantFactory
from resolutionflow.tests.factories import UserFactory


class DigestDeliveryFactory(TenantFactory):
    class Meta:
        model = DigestDelivery

    user = factory.SubFactory(UserFactory, account=factory.SelfAttribute("..account"))
    week = date(2026, 3, 16)
