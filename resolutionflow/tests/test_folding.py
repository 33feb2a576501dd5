"""Names in the order in which people look for them."""

import pytest
from django.db.models import Value
from hypothesis import example, given, settings
from hypothesis import strategies as st

from resolutionflow.accounts.choices import engineer_choices
from resolutionflow.folding import by_name, fold, folded
from resolutionflow.models import Account, User
from resolutionflow.tests.factories import UserFactory

IN_ORDER = [
    "(none)",
    "3com",
    "acme",
    "Ärzte",
    "backup",
    "echo",
    "Éclair",
    "Öl",
    "Zürich",
    "zürich 2",
    "Ωmega",
    "日本",
]


@pytest.fixture
def made(account):
    for name in [*IN_ORDER[::2], *IN_ORDER[1::2]]:
        UserFactory(account=account, name=name)


def test_case_and_accents_do_not_count_whatever_the_databases_collation(account, made):
    ordered = User.objects.filter(account=account).order_by(*by_name())
    assert list(ordered.values_list("name", flat=True)) == IN_ORDER
    assert [name for _, name in engineer_choices(account)[1:]] == IN_ORDER


@settings(max_examples=40)
@example("İSTANBUL ﬁn Å")
@given(
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0", max_codepoint=0x24F), max_size=20
    )
)
def test_python_folds_as_the_database_does(account, text):
    found = Account.objects.annotate(folded=folded(Value(text))).values_list("folded", flat=True)
    assert found.get() == fold(text)
