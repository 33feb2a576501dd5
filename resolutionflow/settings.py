"""The one settings module: the environment (or `.env`) decides, see the table in docs/deployment.md."""

from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from resolutionflow.database.cluster import Cluster

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(BASE_DIR / ".env")  # variables that are set already win

SECRET_KEY = env("SECRET_KEY")
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Where people reach the product, for the links in mail; by default the first host that is served.
HTTPS = env.bool("HTTPS", default=not DEBUG)  # a server on loopback without TLS sets it to false
_host = "localhost:8000" if DEBUG else "".join(ALLOWED_HOSTS[:1])
BASE_URL = env("BASE_URL", default=f"http{'s' if HTTPS else ''}://{_host}").rstrip("/")
DATA_DIR = Path(env("DATA_DIR", default=str(BASE_DIR / ".data")))

INSTALLED_APPS = [
    "procrastinate.contrib.django",  # before our admin, which replaces its
    "resolutionflow",
    "flowpilot",
    "ratings",
    "analytics",
    "operations",
    "allauth",
    "allauth.account",
    "django_htmx",
    "csp",
    "ninja",
    "resolutionflow.administration.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "resolutionflow.logs.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # pads randomly, so that lengths tell nothing of the token
    "resolutionflow.caching.NoStoreMiddleware",
    "resolutionflow.database.unavailable.DatabaseUnavailableMiddleware",
    "resolutionflow.accounts.cookies.LoginCookieMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "resolutionflow.api.ApiErrorMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "resolutionflow.urls"
WSGI_APPLICATION = "resolutionflow.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "resolutionflow.navigation.navigation",
                "flowpilot.waiting.counts",
                "flowpilot.psa.attention.psa",
            ],
            "builtins": ["resolutionflow.templatetags.interface", "flowpilot.templatetags.sessions"],
        },
    }
]

# Database. Without DATABASE_URL the embedded PostgreSQL is used; manage.py starts it when it is needed.
EMBEDDED_DATABASE: Cluster | None = None
if env("DATABASE_URL", default=""):
    DATABASES = {"default": env.db_url("DATABASE_URL")}
    if not DATABASES["default"].get("ENGINE", "").endswith("postgresql"):
        raise ImproperlyConfigured(
            "DATABASE_URL must name a PostgreSQL database: postgres://user:password@host/name"
        )
else:
    EMBEDDED_DATABASE = Cluster.for_project(BASE_DIR, data_dir=DATA_DIR)
    DATABASES = {"default": EMBEDDED_DATABASE.connection_settings()}
DATABASES["default"] |= {
    "ENGINE": "resolutionflow.tenancy.backend",
    "CONN_HEALTH_CHECKS": True,  # the pool checks a connection before it hands it out
    "ATOMIC_REQUESTS": False,
}
DATABASES["default"].setdefault("OPTIONS", {})
DATABASES["default"]["OPTIONS"] |= {"connect_timeout": 5, "application_name": "resolutionflow"}
# The planner expects a hundred decisions a session, and would compile for longer than the query takes.
DATABASES["default"]["OPTIONS"].setdefault("options", "-c jit=off")
if env.bool("DATABASE_POOL", default=False):  # the web server sets it; commands need one connection only
    # A pool that tries longer waits longer between its tries, and finds a database that is back only then.
    patience = {"timeout": 3, "reconnect_timeout": 2}
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": 8} | patience
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": env.cache_url("CACHE_URL")
    if env("CACHE_URL", default="")
    else {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        # Wrong sign-ins are counted there: whoever fills the cache must not be able to push the counts out.
        "OPTIONS": {"MAX_ENTRIES": 1_000_000},
    }
}

# Sign-in. Sign-up is closed: users come from commands, imports and invitations.
AUTH_USER_MODEL = "resolutionflow.User"
AUTHENTICATION_BACKENDS = ["resolutionflow.accounts.backends.EmailBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ["UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator"]
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "resolutionflow.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_FORMS = {
    "reset_password": "resolutionflow.accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "resolutionflow.accounts.forms.ResetPasswordKeyForm",
}
ACCOUNT_RATE_LIMITS = {"invite": "60/h/key", "invite_again": "3/h/key"}  # of an account, of a person
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = None
SESSION_COOKIE_AGE = env.int("SESSION_COOKIE_AGE", default=14 * 24 * 3600)

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 30  # seconds
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env("DEFAULT_FROM_EMAIL", default="ResolutionFlow <noreply@localhost>")

# A language model that may improve wording, in the accounts that allow it; none without an address.
LANGUAGE_MODEL_URL = env("LANGUAGE_MODEL_URL", default="")
LANGUAGE_MODEL_KEY = env("LANGUAGE_MODEL_KEY", default="")
LANGUAGE_MODEL_NAME = env("LANGUAGE_MODEL_NAME", default="")
LANGUAGE_MODEL_KIND = env("LANGUAGE_MODEL_KIND", default="openai")
if LANGUAGE_MODEL_KIND not in ("openai", "anthropic"):
    raise ImproperlyConfigured("LANGUAGE_MODEL_KIND must be openai or anthropic.")
if LANGUAGE_MODEL_URL and not LANGUAGE_MODEL_NAME:
    raise ImproperlyConfigured("LANGUAGE_MODEL_NAME must say which model LANGUAGE_MODEL_URL is to use.")

# Fernet keys that the keys to ticket systems are sealed with: the first seals, all of them open.
PSA_KEYS = env.list("PSA_KEYS", default=[])

# Jobs stand in the module `jobs` of each app.
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"

# Ticket systems. ConnectWise gives a client id to the vendor of a product, not to its customers.
CONNECTWISE_CLIENT_ID = env(
    "CONNECTWISE_CLIENT_ID", default="00000000-0000-0000-0000-000000000000" if DEBUG else ""
)
# Hosts that a connection may lead to although they are not public; http only to loopback, where the stand-in is.
PSA_INTERNAL_HOSTS = env.list("PSA_INTERNAL_HOSTS", default=["localhost", "127.0.0.1"] if DEBUG else [])

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
DATE_FORMAT, TIME_FORMAT, DATETIME_FORMAT = "j M Y", "H:i", "j M Y, H:i"

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# Safety. HTTPS is on wherever DEBUG is off.
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # load balancers ask without TLS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# whose address the limits of signing in are counted for
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True  # htmx takes the token from the body tag
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "resolutionflow.logs.JsonFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django.server": {"handlers": ["console"], "propagate": False},
        # They tell every kind of job at each start of anything.
        "procrastinate.blueprints": {"level": "WARNING"},
        "procrastinate.periodic": {"level": "WARNING"},
        # It tells every address with its query, in which words of a customer may stand.
        "httpx": {"level": "WARNING"},
    },
}
