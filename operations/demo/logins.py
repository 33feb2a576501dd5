"""Who can sign in to the demo. No super admin: a password that everybody knows must reach no other account."""

ACCOUNT_SLUG, ACCOUNT_NAME = "incident-log", "Incident log"
PASSWORD = "look-around-2016"  # noqa: S105 - public on purpose; load_demo refuses it where HTTPS is on

TEAM_ADMIN_EMAIL, TEAM_ADMIN_NAME = "team.admin@incident-log.invalid", "Team admin"
ENGINEER_EMAIL = "resolver-194@incident-log.invalid"  # made by the import: a busy person of the log

DEMO_LOGINS = [  # role, email, password
    ("Team admin", TEAM_ADMIN_EMAIL, PASSWORD),
    ("Engineer", ENGINEER_EMAIL, PASSWORD),
]
