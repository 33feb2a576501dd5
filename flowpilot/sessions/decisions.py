"""Conditions on the decisions of a session, as the database asks its JSON."""

from django.db.models import BooleanField, F, Func, JSONField, Q, TextField, Value
from django.db.models.lookups import Exact

# A decision taken back counts in no figure but the back-rate, one taken over in none. In jsonpath a missing member
# equals nothing, so "not true" and "not set" are asked as the absence of the opposite.
COUNTS = "!exists(@.undone_at ? (@ != null)) && !exists(@.taken_over ? (@ == true))"

# A cast would fail on an `at` that is no time; jsonpath's datetime() gives nothing there, but knows no Z. A decision
# without a time counts as older than any with one.
LAST_NODE = """(
    select last.decision ->> 'node_id'
      from jsonb_array_elements(%(expressions)s) with ordinality last (decision, position),
           lateral (select regexp_replace(last.decision ->> 'at', 'Z$', '+00:00')) written (at),
           lateral (select jsonb_path_query_first_tz(
               to_jsonb(written.at), '$.datetime() ? (@.type() starts with "timestamp")', silent => true
           ) #>> '{}') checked (at)
     where last.decision ->> 'undone_at' is null and last.decision -> 'taken_over' is distinct from 'true'::jsonb
     order by checked.at::timestamptz desc nulls last, last.position desc
     limit 1)"""


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
