from django.apps import AppConfig
from django.core.checks import register


class FlowPilotConfig(AppConfig):
    name = "flowpilot"
    verbose_name = "FlowPilot"

    def ready(self) -> None:
        from flowpilot.psa.checks import keys_are_keys, there_is_a_key

        register(keys_are_keys)
        register(there_is_a_key, deploy=True)
