"""The build context: which files of the checkout a builder is given, as .dockerignore says."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Nothing but what is named; of that, no folder that is refused everywhere."""

    root: Path
    allowed: tuple[str, ...]
    refused: tuple[str, ...]  # names of folders, wherever they are

    @classmethod
    def of(cls, root: Path) -> Self:
        """Read a checkout's .dockerignore.

        Raises:
            ValueError: it is not in the form that is understood here: ``*``, then ``!path``, then ``**/name``.
        """
        lines = [line.strip() for line in (root / ".dockerignore").read_text(encoding="utf-8").splitlines()]
        first, *rest = [line for line in lines if line and not line.startswith("#")]
        allowed = tuple(line[1:] for line in rest if line.startswith("!"))
        refused = tuple(line[3:] for line in rest if line.startswith("**/"))
        if first != "*" or len(allowed) + len(refused) != len(rest):
            raise ValueError(f"expected '*', '!path' and '**/name' in {root / '.dockerignore'}, got another pattern")
        return cls(root=root, allowed=allowed, refused=refused)

    def has(self, path: str) -> bool:
        """Whether a file or folder is given to the builder."""
        parts = PurePosixPath(path).parts
        if set(parts) & set(self.refused):
            return False
        return any(parts[: len(PurePosixPath(each).parts)] == PurePosixPath(each).parts for each in self.allowed)

    def files(self, path: str) -> Iterator[Path]:
        """List the files of one source of a COPY, relative to it; of a file, its name.

        Raises:
            FileNotFoundError: the builder would not find it.
        """
        source = self.root / path
        if not self.has(path) or not source.exists():
            raise FileNotFoundError(f"expected {path} in the build context, but .dockerignore keeps it out")
        if source.is_file():
            yield Path(source.name)
            return
        for folder, names, files in os.walk(source):
            names[:] = [name for name in names if self.has(str(Path(folder, name).relative_to(self.root)))]
            yield from (Path(folder, file).relative_to(source) for file in files)
