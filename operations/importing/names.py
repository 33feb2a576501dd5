"""Who and what a file names: users by email, clients, domains and flows by name, steps by node id."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import connection, models
from django.db.models.functions import Lower

from flowpilot.models import Client, Domain, Flow, Step
from resolutionflow.accounts.models import Account, User

MOST_REMEMBERED = 50_000  # names; more are looked up again, so that memory does not grow with the file

StepKey = tuple[UUID, str]  # flow and node_id


class Names:
    """Ids of a model's rows by name, compared as the unique key of the database compares: lower(name).

    `prefer` puts the one to be taken last where several rows bear a name.
    """

    def __init__(
        self,
        model: type[Client] | type[Domain] | type[Flow],
        prefer: Callable[[models.QuerySet], models.QuerySet] | None = None,
    ) -> None:
        self._model = model
        self._prefer = prefer or (lambda rows: rows)
        self._ids: dict[str, UUID] = {}

    def look_up(self, names: Iterable[str]) -> dict[str, UUID]:
        """The ids of those that exist."""
        wanted = set(names)
        if unknown := wanted - self._ids.keys():
            if len(self._ids) > MOST_REMEMBERED:
                self._ids.clear()
                unknown = wanted
            keys = _lower(unknown)
            rows = self._prefer(
                self._model.objects.annotate(key=Lower("name")).filter(key__in=set(keys.values()))
            )
            found = dict(rows.values_list("key", "id"))
            self._ids.update({name: found[key] for name, key in keys.items() if key in found})
        return {name: self._ids[name] for name in wanted if name in self._ids}

    def ensure(self, names: Mapping[str, Mapping[str, Any]]) -> dict[str, UUID]:
        """The ids of all; a missing one is made with the given further fields."""
        missing = names.keys() - self.look_up(names).keys()
        if missing:
            spelled: dict[str, str] = {}
            keys = _lower(missing)
            for name in names:  # of two spellings the first one in the file
                if name in missing:
                    spelled.setdefault(keys[name], name)
            # somebody may make the same name on a page meanwhile: theirs is taken then
            self._model.objects.bulk_create(
                [self._model(name=name, **names[name]) for name in spelled.values()],  # type: ignore[misc]
                ignore_conflicts=True,
            )
        return self.look_up(names)

    def forget(self) -> None:
        self._ids.clear()


def _lower(names: Iterable[str]) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT given, lower(given) FROM unnest(%s::text[]) AS given", [sorted(names)])
        return dict(cursor.fetchall())


class Engineers:
    """Ids of users by email; None for an address that cannot be used in the account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._ids: dict[str, UUID | None] = {}

    def look_up(self, emails: Iterable[str]) -> dict[str, UUID | None]:
        """Those that exist, in this account (an id) or outside of it (None)."""
        wanted = set(emails)
        if unknown := wanted - self._ids.keys():
            if len(self._ids) > MOST_REMEMBERED:
                self._ids.clear()
                unknown = wanted
            for email, id, account_id in User.objects.filter(email__in=unknown).values_list(
                "email", "id", "account_id"
            ):
                self._ids[email] = id if account_id == self._account.id else None
        return {email: self._ids[email] for email in wanted if email in self._ids}

    def ensure(self, names: Mapping[str, str]) -> dict[str, UUID | None]:
        """Takes names by email; who is missing is made as an engineer who cannot sign in until a password is set."""
        if missing := names.keys() - self.look_up(names).keys():
            User.objects.bulk_create(
                [
                    User(account=self._account, email=email, name=names[email], password=make_password(None))
                    for email in sorted(missing)
                ],
                ignore_conflicts=True,
            )
        return self.look_up(names)

    def forget(self) -> None:
        self._ids.clear()


class Steps:
    """Ids and titles of steps by flow and node_id."""

    def __init__(self) -> None:
        self._ids: dict[StepKey, UUID] = {}

    def ensure(self, titles: Mapping[StepKey, str]) -> dict[StepKey, UUID]:
        """The ids of all; a missing step is made with the given title."""
        if titles.keys() - self._ids.keys():
            if len(self._ids) > MOST_REMEMBERED:
                self._ids.clear()
            self._load(titles)
            if missing := titles.keys() - self._ids.keys():
                Step.objects.bulk_create(
                    [Step(flow_id=key[0], node_id=key[1], title=titles[key]) for key in sorted(missing)],
                    ignore_conflicts=True,
                )
                self._load(missing)
        return {key: self._ids[key] for key in titles}

    def _load(self, keys: Iterable[StepKey]) -> None:
        flows, nodes = {flow for flow, _ in keys}, {node for _, node in keys}
        rows = Step.objects.filter(flow_id__in=flows, node_id__in=nodes)
        for flow_id, node_id, id in rows.values_list("flow_id", "node_id", "id"):
            self._ids[flow_id, node_id] = id

    def forget(self) -> None:
        self._ids.clear()
