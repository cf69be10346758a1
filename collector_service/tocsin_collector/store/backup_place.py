"""Where a backup lies, as people write it and as ClickHouse does."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from tocsin_collector.errors import BackupProblem
from tocsin_collector.store.store_address import StoreAddress

_PLACE: Final = re.compile(r"(disk|s3):([A-Za-z_]\w*)/([\w./=+-]+)|file:(/[\w./=+ -]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One backup's place. Secrets are never in it: a disk or a named collection of the server has them."""

    kind: Literal["disk", "s3", "file"]
    holder: str  # the disk or the named collection; empty for a file
    path: str

    @property
    def sql(self) -> str:
        """As BACKUP and RESTORE take it."""
        if self.kind == "disk":
            return f"Disk('{self.holder}', '{self.path}')"
        return f"S3({self.holder}, '{self.path}')" if self.kind == "s3" else f"File('{self.path}')"

    def __str__(self) -> str:
        return f"file:{self.path}" if self.kind == "file" else f"{self.kind}:{self.holder}/{self.path}"


def parse_place(text: str, address: StoreAddress) -> Place:
    """Read ``disk:NAME/PATH``, ``s3:COLLECTION/PATH`` or ``file:/PATH``.

    Raises:
        BackupProblem: it is none, or none that this store can use.
    """
    found = _PLACE.fullmatch(text)
    if found is None or ".." in text:
        raise BackupProblem(
            f"expected a place as disk:NAME/PATH, s3:COLLECTION/PATH or file:/FOLDER, with a disk or a named collection that "
            f"the server's configuration names, got {text!r}"
        )
    if found[4]:
        return Place(kind="file", holder="", path=found[4])
    if address.is_embedded and found[1] == "disk":
        raise BackupProblem(f"the embedded engine knows no disk {found[2]}: give --to file:/FOLDER")
    kind: Literal["disk", "s3"] = "disk" if found[1] == "disk" else "s3"
    return Place(kind=kind, holder=found[2], path=found[3])
