"""Known steps are read from the newest sessions of a domain that no flow guided: one index finds them."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("flowpilot", "0013_psa_delivery"),
        ("resolutionflow", "0007_recent_calls"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="session",
            index=models.Index(
                condition=models.Q(
                    ("confidence_tier__in", ["exploring", "discovery"]), ("status", "resolved")
                ),
                fields=["account", "domain", "completed_at"],
                name="session_own_steps",
            ),
        ),
    ]
