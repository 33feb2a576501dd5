"""Conditions on the decisions of a session, as the database asks its JSON."""

from django.db.models import BooleanField, F, Func, JSONField, Q, TextField, Value
from django.db.models.lookups import Exact

# A decision taken back counts in no figure but the back-rate, one taken over in none. In jsonpath a missing member
# equals nothing, so "not true" and "not set" are asked as the absence of the opposite.
COUNTS = "!exists(@.undone_at ? (@ != null)) && !exists(@.taken_over ? (@ == true))"

# The same in SQL, of a JSON column `decision`.
TAKEN_BACK = "decision ->> 'undone_at' is not null"
TAKEN_OVER = "decision -> 'taken_over' is not distinct from 'true'::jsonb"

# When a decision was taken, NULL where its `at` is no time, on which a cast would fail. A template is quicker than any
# other check, and these two are how the product writes times; jsonpath's own datetime() reads the rest, but knows no Z.
MOMENT = r"""coalesce(
    (coalesce(
        jsonb_path_query_first(decision, '$.at.datetime("YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"")', silent => true),
        jsonb_path_query_first(decision, '$.at.datetime("YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"")', silent => true)
    ) #>> '{}')::timestamp at time zone 'UTC',
    (jsonb_path_query_first_tz(
        to_jsonb(regexp_replace(decision ->> 'at', 'Z$', '+00:00')),
        '$.datetime() ? (@.type() starts with "timestamp")', silent => true
    ) #>> '{}')::timestamptz)"""

# Newest by time, else last in the list; one without a time counts as older than any with one.
OLDEST_FIRST = "at nulls first, position"
LAST_NODE = f"""(
    select node_id
      from (select decision ->> 'node_id', {MOMENT}, position
              from jsonb_array_elements(%(expressions)s) with ordinality listed (decision, position)
             where not ({TAKEN_BACK}) and not ({TAKEN_OVER})) counted (node_id, at, position)
     order by at desc nulls last, position desc
     limit 1)"""  # noqa: S608 - pieces of this module


def has_decision(*, node_id: str | None = None, answer: str | None = None) -> Q:
    """Sessions with a decision that counts at this node, with this answer, or with both at once."""
    tests, values = [COUNTS], {}
    if node_id is not None:
        tests.append("@.node_id == $node")
        values["node"] = node_id
    if answer is not None:
        tests.append("@.answer == $answer")
        values["answer"] = answer
    path = f"$[*] ? ({' && '.join(tests)})"
    return Q(
        Func(
            F("decisions"),
            Func(Value(path, TextField()), template="%(expressions)s::jsonpath"),
            Value(values, JSONField()),
            function="jsonb_path_exists",
            output_field=BooleanField(),
        )
    )


def last_decision_at(node_id: str) -> Q:
    """Sessions whose last decision that counts – newest by time, else last in the list – is at this node."""
    return Q(Exact(Func(F("decisions"), template=LAST_NODE, output_field=TextField()), node_id))
