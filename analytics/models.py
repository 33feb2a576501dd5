from analytics.digest.models import DigestDelivery

__all__ = ["DigestDelivery"]
