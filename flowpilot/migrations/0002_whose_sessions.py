from django.db import migrations

# Engineers, flows and clients each belong to one account. Without being told so the planner multiplies the rarity of
# both, expects a fraction of the sessions of "these ten engineers of this account", and leaves the covering index.
CREATE = """
    CREATE STATISTICS session_belongings (dependencies)
        ON account_id, user_id, flow_id, client_id FROM flowpilot_session
"""


class Migration(migrations.Migration):
    dependencies = [("flowpilot", "0001_first_tables")]

    operations = [migrations.RunSQL(CREATE, "DROP STATISTICS session_belongings")]
