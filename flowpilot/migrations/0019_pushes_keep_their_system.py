"""Apart from 0018: PostgreSQL alters no table in the transaction that wrote its rows."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("flowpilot", "0018_push_systems")]

    operations = [
        migrations.AddConstraint(
            "psaconnection",
            models.CheckConstraint(condition=~Q(system=""), name="psa_connection_leads_somewhere"),
        ),
        migrations.AddConstraint(
            "psapush", models.CheckConstraint(condition=~Q(system=""), name="psa_push_is_for_a_system")
        ),
        migrations.AddConstraint(
            "psapush",
            models.CheckConstraint(
                condition=Q(dismissed_at__isnull=True, dismissed_by__isnull=True, dismissed_note="")
                | Q(dismissed_at__isnull=False, dismissed_by__isnull=False, status="needs_attention"),
                name="psa_push_dismissed_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            "psapush",
            models.CheckConstraint(
                condition=Q(goes_anyway=False) | Q(kind="status"), name="psa_push_goes_anyway_as_a_status"
            ),
        ),
    ]
