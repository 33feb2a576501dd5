"""Which ticket system each connection leads to and each push was made for; pushes that a person lets go or dismisses."""

from typing import Any

from django.conf import settings
from django.db import migrations, models

from flowpilot.psa import sealing
from flowpilot.psa.providers.systems import system_of
from resolutionflow.tenancy import cross_account


def name_systems(apps: Any, schema_editor: Any) -> None:
    """Where the keys cannot be opened the company stays unknown, so that pushes made until now reach no other."""
    connections = apps.get_model("flowpilot", "PsaConnection").objects
    pushes = apps.get_model("flowpilot", "PsaPush").objects
    with cross_account():
        for connection in connections.all():
            try:
                credentials = sealing.open_sealed(connection.credentials)
            except sealing.CannotOpen:
                credentials = {}
            system = system_of(connection.provider, base_url=connection.base_url, credentials=credentials)
            mine = {"account_id": connection.account_id}
            connections.filter(id=connection.id, **mine).update(system=system)
            pushes.filter(connection_id=connection.id, **mine).update(system=system)


class Migration(migrations.Migration):
    dependencies = [
        ("flowpilot", "0017_words_of_what_was_done"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            "psaconnection",
            "system",
            models.CharField(default="", editable=False, max_length=900),
            preserve_default=False,
        ),
        migrations.AddField(
            "psapush",
            "system",
            models.CharField(default="", editable=False, max_length=900),
            preserve_default=False,
        ),
        migrations.AddField(
            "psapush",
            "goes_anyway",
            models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField("psapush", "dismissed_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "psapush",
            "dismissed_by",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            "psapush",
            "dismissed_note",
            models.CharField(blank=True, db_default="", default="", max_length=500),
        ),
        migrations.RunPython(name_systems, migrations.RunPython.noop, elidable=True),
    ]
