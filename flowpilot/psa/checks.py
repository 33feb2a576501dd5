"""What `check` and `check --deploy` say of the keys that secrets are sealed with."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks

from flowpilot.psa import sealing

HOW = "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())' makes one."


def keys_are_keys(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    return [
        checks.Error(f"PSA_KEYS: number {number} in the list is no Fernet key.", HOW, id="psa.E001")
        for number in sealing.key_faults()
    ]


def there_is_a_key(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    if sealing.can_seal():
        return []
    return [checks.Warning("PSA_KEYS is not set: no ticket system can be connected.", HOW, id="psa.W001")]
