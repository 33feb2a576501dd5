import pytest

from tests.guard.statements import judge

TABLES = frozenset({"ticket", "note"})

PINNED = [
    "SELECT * FROM ticket WHERE account_id = %s",
    "SELECT * FROM ticket t WHERE t.account_id = %s AND (t.open OR t.late)",
    'SELECT "ticket"."id" FROM "ticket" WHERE "ticket"."account_id" = %s ORDER BY 1 LIMIT 21',
    "SELECT * FROM public.ticket WHERE ticket.account_id = (%s)::uuid",
    "SELECT * FROM Ticket WHERE %s = account_id",
    "SELECT * FROM ticket WHERE account_id IN (%s)",
    "SELECT * FROM ticket WHERE account_id = 'a' AND name LIKE '100%%'",
    "SELECT * FROM ticket t JOIN note n ON n.ticket_id = t.id "
    "AND n.account_id = t.account_id WHERE t.account_id = %s",
    "SELECT * FROM ticket t LEFT JOIN note n ON n.account_id = t.account_id WHERE t.account_id = %s",
    "SELECT * FROM ticket t LEFT JOIN note n ON n.account_id = %s WHERE t.account_id = %s",
    "SELECT * FROM ticket t RIGHT JOIN note n ON n.account_id = t.account_id WHERE n.account_id = %s",
    "SELECT * FROM (ticket t JOIN note n ON n.account_id = t.account_id) WHERE t.account_id = %s",
    "SELECT * FROM ticket t, note n WHERE t.account_id = n.account_id AND n.account_id = %s",
    "SELECT * FROM ticket t, jsonb_array_elements(t.steps) step WHERE t.account_id = %s",
    "SELECT count(*) FROM (SELECT id FROM ticket WHERE account_id = %s) found",
    "SELECT * FROM ticket t WHERE t.account_id = %s AND EXISTS (SELECT 1 FROM note n "
    "WHERE n.account_id = t.account_id)",
    "SELECT (SELECT max(id) FROM note n WHERE n.account_id = (t.account_id)) FROM ticket t WHERE t.account_id = %s",
    "SELECT * FROM ticket t, LATERAL (SELECT * FROM note n WHERE n.account_id = t.account_id) x "
    "WHERE t.account_id = %s",
    "SELECT * FROM (SELECT id, account_id FROM ticket WHERE account_id = %s) t "
    "JOIN note n ON n.account_id = t.account_id",
    "WITH t AS (SELECT * FROM ticket WHERE account_id = %s) SELECT * FROM t JOIN note n ON n.account_id = t.account_id",
    "WITH t AS (SELECT id FROM ticket WHERE account_id = %s) SELECT * FROM note WHERE account_id = %s",
    "(SELECT id FROM ticket WHERE account_id = %s) UNION ALL (SELECT id FROM note WHERE account_id = %s)",
    "SELECT * FROM person",
    "SELECT * FROM person JOIN account ON account.id = person.account_id",
    "EXPLAIN (ANALYZE, BUFFERS) SELECT * FROM ticket WHERE account_id = %s",
    "ANALYZE ticket",
    "INSERT INTO ticket (id, account_id) VALUES (%s, %s), (%s, %s)",
    "INSERT INTO ticket (id, account_id) VALUES (%s, %s) ON CONFLICT (account_id, id) DO UPDATE SET x = excluded.x",
    "INSERT INTO ticket (id, account_id) SELECT * FROM UNNEST((%s)::uuid[], (%s)::uuid[])",
    "INSERT INTO note (id, account_id) SELECT id, account_id FROM ticket WHERE account_id = %s",
    "INSERT INTO note (id, account_id) SELECT id, %s FROM staging",
    "INSERT INTO staging SELECT id FROM ticket WHERE account_id = %s",
    "WITH gone AS (DELETE FROM ticket WHERE account_id = %s RETURNING *) "
    "INSERT INTO note (id, account_id) SELECT id, account_id FROM gone",
    "UPDATE ticket SET x = 1 WHERE id = %s AND account_id = %s",
    "UPDATE ticket SET account_id = %s, x = 1 WHERE account_id = %s",
    "UPDATE ticket SET x = n.x FROM note n WHERE n.account_id = ticket.account_id AND ticket.account_id = %s",
    "UPDATE ticket SET x = s.x FROM staging s WHERE s.id = ticket.id AND ticket.account_id = %s",
    "DELETE FROM ticket WHERE account_id = %s AND id IN (SELECT ticket_id FROM note WHERE account_id = %s)",
    "DELETE FROM ticket USING note WHERE note.account_id = ticket.account_id AND note.account_id = %s",
    "MERGE INTO ticket t USING staging s ON t.id = s.id AND t.account_id = %s WHEN MATCHED THEN UPDATE SET x = s.x "
    "WHEN NOT MATCHED THEN INSERT (id, account_id) VALUES (s.id, %s)",
    "CREATE TEMP TABLE staging AS SELECT * FROM ticket WHERE account_id = %s",
    "CREATE TEMP TABLE staging (LIKE ticket)",
    "COPY (SELECT * FROM ticket WHERE account_id = 'a') TO STDOUT",
    "COPY staging (id) FROM STDIN",
]

UNPINNED = [
    "SELECT * FROM ticket",
    "TABLE ticket",
    'SELECT * FROM "ticket" WHERE id = %s',
    "SELECT * FROM ticket WHERE account_id = %s OR late",
    "SELECT * FROM ticket WHERE NOT account_id = %s",
    "SELECT * FROM ticket WHERE account_id <> %s",
    "SELECT * FROM ticket WHERE account_id IN (%s, %s)",
    "SELECT * FROM ticket WHERE account_id IN (SELECT id FROM account)",
    "SELECT * FROM ticket WHERE account_id = account_id",
    "SELECT * FROM ticket WHERE account_id IS NOT NULL",
    "SELECT * FROM ticket t JOIN note n ON n.ticket_id = t.id WHERE t.account_id = %s",
    "SELECT * FROM ticket t LEFT JOIN note n ON t.account_id = %s AND n.account_id = t.account_id",
    "SELECT * FROM ticket t LEFT JOIN note n ON n.account_id = t.account_id AND n.account_id = %s",
    "SELECT * FROM ticket t RIGHT JOIN note n ON n.account_id = t.account_id AND t.account_id = %s",
    "SELECT * FROM ticket t FULL JOIN note n ON n.account_id = t.account_id AND t.account_id = %s",
    "SELECT * FROM ticket, note WHERE ticket.account_id = %s",
    "SELECT * FROM ticket t JOIN staging s ON s.account_id = t.account_id",
    "SELECT * FROM account a JOIN ticket t ON t.account_id = a.id WHERE a.slug = %s",
    "SELECT count(*) FROM (SELECT id FROM ticket) found",
    "SELECT * FROM ticket t WHERE t.account_id = %s AND EXISTS (SELECT 1 FROM note n WHERE n.ticket_id = t.id)",
    "SELECT (SELECT max(id) FROM note) FROM ticket WHERE account_id = %s",
    "SELECT * FROM person WHERE id IN (SELECT user_id FROM ticket)",
    "SELECT * FROM person p WHERE EXISTS (SELECT 1 FROM ticket t WHERE t.account_id = p.account_id)",
    "SELECT * FROM (SELECT id, other AS account_id FROM ticket WHERE account_id = %s) t "
    "JOIN note n ON n.account_id = t.account_id",
    "WITH t AS (SELECT * FROM ticket) SELECT * FROM t WHERE account_id = %s",
    "WITH t AS (SELECT 1) SELECT * FROM ticket",
    "SELECT id FROM ticket WHERE account_id = %s UNION SELECT id FROM note",
    "SELECT * FROM ticket WHERE account_id = %s; SELECT * FROM note",
    "EXPLAIN ANALYZE SELECT * FROM ticket",
    "INSERT INTO ticket (id) VALUES (%s)",
    "INSERT INTO ticket VALUES (%s, %s)",
    "INSERT INTO ticket (id, account_id) VALUES (%s, DEFAULT)",
    "INSERT INTO ticket (id, account_id) VALUES (%s, (SELECT id FROM account LIMIT 1))",
    "INSERT INTO ticket (id, account_id) VALUES (%s, %s) ON CONFLICT (id) DO NOTHING",
    "INSERT INTO note (id, account_id) SELECT id, account_id FROM ticket",
    "INSERT INTO note (id, account_id) SELECT id, account_id FROM staging",
    "INSERT INTO staging SELECT * FROM ticket",
    "WITH gone AS (DELETE FROM ticket RETURNING *) SELECT * FROM gone",
    "UPDATE ticket SET x = 1",
    "UPDATE ticket SET x = 1 WHERE id = %s",
    "UPDATE ticket SET account_id = other WHERE account_id = %s",
    "UPDATE ticket SET x = n.x FROM note n WHERE n.id = ticket.id AND ticket.account_id = %s",
    "UPDATE person SET x = (SELECT count(*) FROM ticket)",
    "DELETE FROM ticket",
    "DELETE FROM ticket WHERE id IN (SELECT id FROM ticket WHERE account_id = %s)",
    "DELETE FROM ticket USING note WHERE note.id = ticket.id AND ticket.account_id = %s",
    "MERGE INTO ticket t USING staging s ON t.id = s.id WHEN MATCHED THEN DELETE",
    "MERGE INTO ticket t USING note n ON t.account_id = n.account_id AND n.account_id = %s WHEN MATCHED THEN DELETE",
    "MERGE INTO ticket t USING staging s ON t.account_id = %s WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)",
    "CREATE TEMP TABLE staging AS SELECT * FROM ticket",
    "CREATE VIEW everything AS SELECT * FROM ticket",
    "SELECT * INTO staging FROM ticket",
    "COPY ticket TO STDOUT",
    "COPY (SELECT * FROM ticket) TO STDOUT",
    "LOCK TABLE ticket",
    "DO $$ BEGIN DELETE FROM ticket; END $$",
    "SELECT FROM WHERE ticket %s ((",
]


@pytest.mark.parametrize("sql", PINNED)
def test_a_pinned_statement_passes(sql):
    verdict = judge(sql, TABLES)
    assert verdict.faults == []


@pytest.mark.parametrize("sql", UNPINNED)
def test_an_unpinned_statement_fails(sql):
    assert judge(sql, TABLES).faults


@pytest.mark.parametrize(
    "sql",
    ["TRUNCATE ticket", "DROP TABLE ticket", "ALTER TABLE ticket ADD x int", "CREATE INDEX x ON ticket (y)"],
)
def test_what_changes_tables_is_told_apart(sql):
    assert judge(sql, TABLES).defines


def test_the_values_that_pin_are_named_by_their_place():
    verdict = judge(
        "SELECT * FROM ticket t JOIN note n ON n.account_id = t.account_id WHERE t.x = %s AND t.account_id = %s",
        TABLES,
    )
    assert verdict.needs == [("ticket t", {":parameter:1"}), ("note n", {":parameter:1"})]


def test_a_literal_percent_is_no_parameter():
    verdict = judge("SELECT * FROM ticket WHERE x LIKE '%%s' AND account_id = %(account)s", TABLES)
    assert verdict.needs == [("ticket", {":parameter:account"})]
