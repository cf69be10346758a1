"""Stages of a Dockerfile, each built in a root of its own from clean ones."""

import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from _image.context import Context
from _image.dockerfile import Dockerfile, Instruction, Stage
from _image.roots import PATH, Root


@dataclass(slots=True, kw_only=True)
class Builder:
    """Builds stages once, with those before them."""

    file: Dockerfile
    context: Context
    base: Path
    folder: Path
    took_s: dict[str, float] = field(default_factory=dict)  # each stage alone
    _built: dict[str, Root] = field(default_factory=dict)

    def build(self, name: str) -> Root:
        """Give a stage's root.

        Raises:
            RuntimeError: a RUN failed.
            FileNotFoundError: a COPY found nothing.
        """
        if name in self._built:
            return self._built[name]
        stage = self.file.stages[name]
        below = self.build(stage.parent).layers if stage.parent in self.file.stages else (self.base,)
        for each in stage.instructions:
            if source := each.flags.get("from"):
                self.build(source)
        began = time.monotonic()
        root = Root.over(below, self.folder / name)
        self._run(stage, root)
        self.took_s[name] = time.monotonic() - began
        self._built[name] = root
        return root

    def _run(self, stage: Stage, root: Root) -> None:
        environment = self.file.environment(stage.parent, {"PATH": PATH})
        found = self.file.last(stage.parent, "WORKDIR")
        workdir, arguments = found.text if found else "/", dict[str, str]()
        for each in stage.instructions:
            names = arguments | environment
            match each.word:
                case "RUN":
                    root.run(["/bin/sh", "-c", each.text], environment=names, folder=workdir)
                case "COPY":
                    self._copy(each, root, names, workdir)
                case "ENV":
                    environment |= each.pairs(names)
                case "ARG":
                    arguments |= each.pairs(names)
                case "WORKDIR":
                    workdir = str(Path(workdir, *each.words(names)))
                    _inside(root, workdir).mkdir(parents=True, exist_ok=True)

    def _copy(self, copy: Instruction, root: Root, names: Mapping[str, str], workdir: str) -> None:
        if set(copy.flags) - {"from"}:
            raise ValueError(f"line {copy.line}: expected no flags of COPY but --from, got {sorted(copy.flags)}")
        *sources, target = copy.words(names)
        goal = _inside(root, str(Path(workdir, target)))
        is_folder = target.endswith("/") or target == "." or len(sources) > 1
        for source in sources:
            if "from" in copy.flags:
                origin = _inside(self.build(copy.flags["from"]), source)
                goal.parent.mkdir(parents=True, exist_ok=True)
                subprocess.run(["cp", "-a", "-T", origin, goal], check=True)  # noqa: S607
                continue
            origin = self.context.root / source
            for file in self.context.files(source):
                at = goal / file if origin.is_dir() or is_folder else goal
                at.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(origin / file if origin.is_dir() else origin, at)


def _inside(root: Root, path: str) -> Path:
    return root.mounted / path.lstrip("/")
