"""The lists of the settings as tables: all pages of what the page shows, in its order, with its figures.

They are read at once: an account has few of these, and what is counted of them takes one statement for all.
"""

from flowpilot.clients_and_domains.forms import SearchForm
from flowpilot.clients_and_domains.kinds import Kind
from flowpilot.clients_and_domains.listing import listed_entries, rows_of
from flowpilot.users.forms import UserListForm
from flowpilot.users.listing import listed_users
from flowpilot.users.open_sessions import open_sessions
from resolutionflow.accounts.scoping import AccountRequest
from resolutionflow.exports import Column, Table

USERS = (
    Column("name", "Name"),
    Column("email", "Email"),
    Column("role", "Role"),
    Column("state", "State"),
    Column("last_login", "Last sign-in", "moment"),
    Column("open_sessions", "Open sessions", "count"),
)
NAME, SESSIONS = Column("name", "Name"), Column("sessions", "Sessions", "count")
CLIENTS = (NAME, Column("psa_company_id", "ID in the PSA"), SESSIONS)
DOMAINS = (NAME, Column("flows", "Flows", "count"), SESSIONS)


def users_table(form: UserListForm, request: AccountRequest) -> Table:
    """With everybody's real name, as on the page: who manages the users has to know them."""
    counts = open_sessions(request.user, request.account, request.now)
    rows = [
        {
            "name": person.name,
            "email": person.email,
            "role": person.role_label,
            "state": person.state.label,
            "last_login": person.last_login,
            "open_sessions": counts.get(person.pk, 0),
        }
        for person in listed_users(form, request.account)
    ]
    return Table("users", "Users", USERS, rows, request.account.tz)


def entries_table(kind: Kind, form: SearchForm, request: AccountRequest) -> Table:
    """Clients with their id in the PSA, domains with their flows."""
    rows = [
        row | {name: getattr(row["entry"], name) for name in kind.fields}
        for row in rows_of(kind, listed_entries(kind, form), request)
    ]
    columns = DOMAINS if kind.has_flows else CLIENTS
    return Table(kind.plural, kind.title, columns, rows, request.account.tz)
