"""The benchmarks: python -m benchmarks [NAME …], or make bench ARGS='NAME …'. Without a name all run, one by one.

A benchmark is a module of this package without a leading underscore; its main() takes the arguments after its name and
prints a plain table. Options belong to a benchmark: python -m benchmarks team_page --help.
"""

import os
import pkgutil
import sys
from importlib import import_module
from itertools import takewhile

import django

import benchmarks

NAMES = [
    module.name for module in pkgutil.iter_modules(benchmarks.__path__) if not module.name.startswith("_")
]


def main(arguments: list[str]) -> None:
    names = list(takewhile(lambda argument: not argument.startswith("-"), arguments))
    options = arguments[len(names) :]
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        sys.exit(f"No such benchmark: {', '.join(unknown)}. There are: {', '.join(NAMES)}.")
    if options and len(names) != 1:
        if {"-h", "--help"} & set(options):
            print(__doc__, "\nThe benchmarks: ", ", ".join(NAMES), ".", sep="")
            return
        sys.exit("Options belong to one benchmark: name it before them.")
    _set_up()
    for name in names or NAMES:
        print(f"\n== {name}", flush=True)
        import_module(f"benchmarks.{name}").main(options)


def _set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resolutionflow.settings")
    django.setup()
    from django.conf import settings

    if settings.EMBEDDED_DATABASE is not None:
        settings.EMBEDDED_DATABASE.autostart = True


if __name__ == "__main__":
    main(sys.argv[1:])
