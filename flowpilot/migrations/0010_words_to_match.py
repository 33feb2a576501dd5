"""The words of flows, their steps and of problems, for candidates of the matching.

Columns that PostgreSQL computes, so that no writer can forget them, and that no model has, so that no read of a row
pays for them. The words are folded and each is led by a part of the account's id: an index over them is then led by the
account, which GIN can do without an extension in no other way. `flowpilot/matching/index.py` asks them. The
expressions are written out, so that a database made later gets the columns that the earlier ones have.
"""

from django.db import migrations

FOLDED = r"lower(regexp_replace(normalize({text}, NFKD), '[\u0300-\u036f]', '', 'g'))"
WORDS = (
    r"to_tsvector('simple'::regconfig, regexp_replace(' ' || " + FOLDED + r", "
    r"'[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f]+', "
    r"' x' || right(account_id::text, 8), 'g'))"
)
# What is longer is never a tsvector's megabyte, and says nothing new.
TEXTS = {
    "flowpilot_flow": "left(name || ' ' || description, 20000)",
    "flowpilot_flowversion": "left("
    + " || ' ' || ".join(
        f"replace(jsonb_path_query_array(structure, 'strict $.**.{key}')::text, '\\n', ' ')"
        for key in ("title", "help", "label", "text")
    )
    + ", 60000)",
    "flowpilot_session": "left(problem_summary || ' ' || problem_description, 4000)",
}


class Migration(migrations.Migration):
    dependencies = [("flowpilot", "0009_revisions_go_on")]

    operations = [
        operation
        for table, text in TEXTS.items()
        for operation in (
            migrations.RunSQL(
                f"ALTER TABLE {table} ADD COLUMN words tsvector"
                f" GENERATED ALWAYS AS ({WORDS.format(text=text)}) STORED",
                f"ALTER TABLE {table} DROP COLUMN words",
            ),
            migrations.RunSQL(
                f"CREATE INDEX {table}_words ON {table} USING gin (words)", f"DROP INDEX {table}_words"
            ),
        )
    ]
