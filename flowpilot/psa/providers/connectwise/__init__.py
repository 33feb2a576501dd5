"""ConnectWise PSA."""

from flowpilot.psa.providers.connectwise.provider import ConnectWise

__all__ = ["ConnectWise"]
