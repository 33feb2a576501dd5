"""Collects the static files for serving, but only when they changed: compressing them takes seconds."""

import hashlib
from pathlib import Path

from django.contrib.staticfiles.finders import get_finders


def fingerprint() -> str:
    """Names, sizes and times of change of all static files of the project and its packages, as one hash."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in sorted(finder.list(None), key=lambda found: found[0]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


class CollectedFiles:
    """What lies in `root`, with the fingerprint of what it was collected from beside it."""

    def __init__(self, root: Path) -> None:
        self.manifest = root / "staticfiles.json"
        self.fingerprint_file = root.with_name(f"{root.name}.fingerprint")

    def are_current(self) -> bool:
        if not self.manifest.exists() or not self.fingerprint_file.exists():
            return False
        return self.fingerprint_file.read_text() == fingerprint()

    def mark_current(self) -> None:
        self.fingerprint_file.write_text(fingerprint())
