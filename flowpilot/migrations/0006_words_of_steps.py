"""The words of a flow's steps, computed by the database from the structure, for the search in the library.

They are kept uncompressed: a search reads all of an account's, and taking them apart would be most of the work.
"""

from django.db import migrations

from flowpilot.flows.search import folded_step_texts

TABLES = ("flowpilot_flowdraft", "flowpilot_flowversion")


class Migration(migrations.Migration):
    dependencies = [("flowpilot", "0005_guided_sessions")]

    operations = [
        *(
            migrations.AddField(model, "step_texts", folded_step_texts())
            for model in ("flowdraft", "flowversion")
        ),
        *(
            migrations.RunSQL(
                f"ALTER TABLE {table} ALTER COLUMN step_texts SET STORAGE EXTERNAL", migrations.RunSQL.noop
            )
            for table in TABLES
        ),
    ]
