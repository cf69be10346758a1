"""The folder of damaged bytes: what was lost stays for the operator to look at, up to a limit."""

import logging
from pathlib import Path

_log = logging.getLogger(__name__)


class DamagedFolder:
    """Keeps copies of damaged bytes; the oldest make room. What cannot be kept is said, and stops nothing."""

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self.folder = folder
        self._max_bytes = max_bytes

    def keep(self, kind: str, path: Path, start: int, end: int) -> None:
        """Copy some bytes of a file; the same bytes again replace their copy."""
        size = min(end - start, self._max_bytes)
        target = self.folder / f"{kind}-{path.stem}-{start}.bytes"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._make_room(size)
            with path.open("rb") as file:
                file.seek(start)
                target.write_bytes(file.read(size))
        except OSError as error:
            _log.warning("%d damaged bytes of %s could not be kept: %s", end - start, path, error)

    def adopt(self, path: Path) -> Path | None:
        """Move a whole file here, out of the way."""
        target = self.folder / f"{path.parent.name}-{path.name}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._make_room(path.stat().st_size)
            return path.rename(target)
        except OSError as error:
            _log.warning("%s could not be moved to %s: %s", path, self.folder, error)
            return None

    def files(self) -> list[Path]:
        """List what is kept, the oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted((path for path in self.folder.iterdir() if path.is_file()), key=lambda path: path.stat().st_mtime)

    def _make_room(self, size: int) -> None:
        kept = self.files()
        total = sum(path.stat().st_size for path in kept)
        for path in kept:
            if total + size <= self._max_bytes:
                return
            total -= path.stat().st_size
            path.unlink()
