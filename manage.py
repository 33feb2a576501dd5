#!/usr/bin/env python
"""The project's command line. See `manage.py help` and docs/deployment.md."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resolutionflow.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line

        from resolutionflow.database.cluster import Cluster, ClusterError
    except ModuleNotFoundError as error:
        sys.exit(f"{error}. Run `make setup` first, then use .venv/bin/python manage.py.")
    Cluster.autostart = True  # for this process: its first connection starts the embedded database
    try:
        execute_from_command_line(sys.argv)
    except ClusterError as error:
        sys.exit(str(error))
    except ImproperlyConfigured as error:
        sys.exit(f"{error}\n`make setup` writes settings for development; docs/deployment.md lists them all.")


if __name__ == "__main__":
    main()
