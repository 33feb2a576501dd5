"""The settings as users run them, made fast and quiet for the tests. A developer's `.env` does not matter here."""

import os

os.environ |= {"SECRET_KEY": "for tests only", "DEBUG": "false", "HTTPS": "false", "ALLOWED_HOSTS": "*"}
os.environ |= {"EMAIL_URL": "memorymail://", "CACHE_URL": "locmemcache://", "LOG_LEVEL": "CRITICAL"}
os.environ |= {"PSA_KEYS": "Zm9yIHRlc3RzIG9ubHksIGEga2V5IG9mIDMyIGJ5dGU="}
os.environ |= {"DATABASE_POOL": "false", "BASE_URL": "http://testserver"}
os.environ |= {
    "PSA_INTERNAL_HOSTS": "127.0.0.1",
    "CONNECTWISE_CLIENT_ID": "11111111-2222-3333-4444-555555555555",
}

from resolutionflow.settings import *  # noqa: F403
from resolutionflow.settings import DATABASES, EMBEDDED_DATABASE, STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES |= {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = True  # nothing is collected for the tests
DATABASES["default"]["OPTIONS"]["options"] += " -c synchronous_commit=off"  # no test outlives a power cut
if EMBEDDED_DATABASE:
    EMBEDDED_DATABASE.autostart = True
