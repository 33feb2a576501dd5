"""How a push moves from one state to the next: the one place that says which changes there are.

pending ──► sending ──► success
   ▲           │ ├────► retry_wait (surely not sent) ──► sending
   │           │ └────► needs_attention (refused) ──► pending | uncertain, when a person says so
   │           └──────► uncertain (nobody knows) ──► success | retry_wait | needs_attention
"""

from django.db.models import TextChoices

MOST_TRIES = 12


class State(TextChoices):
    PENDING = "pending", "Pending"
    SENDING = "sending", "Sending"
    UNCERTAIN = "uncertain", "Uncertain"
    RETRY_WAIT = "retry_wait", "Waiting to retry"
    SUCCESS = "success", "Delivered"
    NEEDS_ATTENTION = "needs_attention", "Needs attention"


class Hold(TextChoices):
    """Why nothing is sent over a connection for a while."""

    TOO_MANY_REQUESTS = "too_many_requests", "The ticket system asks to wait"
    KEYS_REFUSED = "keys_refused", "The ticket system refuses the keys"
    WRONG_ADDRESS = "wrong_address", "There is no ticket system at the address"
    NO_KEYS = "no_keys", "The keys cannot be read"


# What does not pass by itself.
GRAVE = (Hold.KEYS_REFUSED, Hold.WRONG_ADDRESS, Hold.NO_KEYS)
FINISHED = (State.SUCCESS, State.NEEDS_ATTENTION)
WAITING = (State.PENDING, State.UNCERTAIN, State.RETRY_WAIT)
UNFINISHED = (*WAITING, State.SENDING)

CHANGES: dict[State, tuple[State, ...]] = {
    # Before anything was sent the ticket itself can be what a person has to see to.
    State.PENDING: (State.SENDING, State.NEEDS_ATTENTION, State.RETRY_WAIT, State.PENDING),
    State.SENDING: (State.SUCCESS, State.RETRY_WAIT, State.UNCERTAIN, State.NEEDS_ATTENTION),
    State.RETRY_WAIT: (State.SENDING, State.NEEDS_ATTENTION, State.RETRY_WAIT, State.UNCERTAIN),
    State.UNCERTAIN: (State.SUCCESS, State.RETRY_WAIT, State.NEEDS_ATTENTION, State.UNCERTAIN),
    # A person said so, or the sweep found that it had arrived after all.
    State.NEEDS_ATTENTION: (State.PENDING, State.UNCERTAIN, State.SUCCESS),
    State.SUCCESS: (),
}


class NoSuchChange(Exception):
    """A push was to move in a way that there is not: a fault of the program, or somebody else moved it first."""


def check_change(before: State, after: State) -> None:
    """Raises NoSuchChange. A send that was found uncertain is never sent again without a look-up between."""
    if after not in CHANGES[before]:
        raise NoSuchChange(f"A push that is “{before.label.lower()}” cannot become “{after.label.lower()}”.")
