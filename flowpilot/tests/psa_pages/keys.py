"""The keys to the stand-in. The secret ones must never be seen again once they are saved."""

from flowpilot.psa.providers.connectwise.reading import member_ref
from flowpilot.psa.stand_in.seed import COMPANY_ID, PRIVATE_KEY, PUBLIC_KEY

KEYS = {"company_id": COMPANY_ID, "public_key": PUBLIC_KEY, "private_key": PRIVATE_KEY}
AMIRA = member_ref(11, "ahaddad")
