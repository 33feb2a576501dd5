import factory

from flowpilot.tests.factories import STARTED_AT, SessionFactory, StepFactory, TenantFactory
from ratings.models import SessionRating, StepRating


class SessionRatingFactory(TenantFactory):
    class Meta:
        model = SessionRating

    session = factory.SubFactory(SessionFactory, account=factory.SelfAttribute("..account"))
    user = factory.SelfAttribute("session.user")
    flow = factory.SelfAttribute("session.flow")
    rating = 4
    created_at = factory.SelfAttribute("session.completed_at")


class StepRatingFactory(TenantFactory):
    class Meta:
        model = StepRating

    step = factory.SubFactory(StepFactory, account=factory.SelfAttribute("..account"))
    session = factory.SubFactory(
        SessionFactory, account=factory.SelfAttribute("..account"), flow=factory.SelfAttribute("..step.flow")
    )
    user = factory.SelfAttribute("session.user")
    was_helpful = True
    created_at = STARTED_AT
