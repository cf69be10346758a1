"""YAML files into pydantic models, with errors that name file and line, what was expected and what came.

Plain scalars are read as in YAML 1.2's core schema: ``off`` and ``no`` are words, ``1:30`` is no number, dates are text.
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, TypeAlias, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tocsin_alerts.errors import DocumentError, Finding

Model = TypeVar("Model", bound=BaseModel)
Location: TypeAlias = tuple[str | int, ...]

_STR_TAG = "tag:yaml.org,2002:str"
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: Mapping[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file's content, and the line on which each part of it stands."""

    path: str
    data: Any
    lines: Mapping[Location, int]

    def line(self, *where: str | int) -> int:
        """Say on which line a part stands, or the nearest part above it that exists."""
        for end in range(len(where), -1, -1):
            if (line := self.lines.get(where[:end])) is not None:
                return line
        return 1

    def finding(self, message: str, *where: str | int) -> Finding:
        """Say something about a part of this file."""
        return Finding(path=self.path, line=self.line(*where), message=message)

    def into(self, model: type[Model]) -> Model:
        """Validate the content as a model.

        Raises:
            DocumentError: with one finding per thing to mend.
        """
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            findings = [self._explain(detail, model) for detail in error.errors()]
            raise DocumentError(sorted(findings, key=lambda finding: finding.line)) from error

    def _explain(self, detail: ErrorDetails, model: type[BaseModel]) -> Finding:
        where, came = detail["loc"], detail.get("input")
        name = ".".join(str(part) for part in where) or "the file"
        if detail["type"] == "extra_forbidden":
            key, valid = str(where[-1]), valid_keys(model, where[:-1])
            return self.finding(f"unknown key {name!r}: {suggest(key, valid)}", *where)
        if detail["type"] == "missing":
            return self.finding(f"expected a key {name!r}, got none", *where[:-1])
        if detail["type"] == "value_error":
            return self.finding(f"{name}: {detail['msg'].removeprefix('Value error, ')}", *where)
        expected = re.sub(r"^Input should be ", "", detail["msg"])
        return self.finding(f"{name}: expected {expected}, got {_brief(came)}", *where)


def load(path: Path | str, model: type[Model]) -> Model:
    """Read one YAML file as a model.

    Raises:
        DocumentError: the file cannot be read, is no YAML, repeats a key, or does not fit the model.
    """
    return read(path).into(model)


def read(path: Path | str) -> Document:
    """Read one YAML file, keeping the line of each part.

    Raises:
        DocumentError: as for :func:`load`.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError(
            [Finding(path=str(path), line=0, message=f"expected a readable UTF-8 file, got: {error}")]
        ) from error
    return parse(text, path=str(path))


def parse(text: str, *, path: str) -> Document:
    """Read YAML text; ``path`` is what errors call it.

    Raises:
        DocumentError: as for :func:`load`.
    """
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        line = mark.line + 1 if mark else 0
        raise DocumentError([Finding(path=path, line=line, message=f"this is no YAML: {problem}")]) from error
    if node is None:
        return Document(path=path, data={}, lines={})
    builder = _Builder(path)
    return Document(path=path, data=builder.build(node, ()), lines=builder.lines)


def plain_scalar(text: str) -> Any:
    """Read an unquoted scalar: null, true, false, a number, or else the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def suggest(name: str, valid: Sequence[str]) -> str:
    """Name the nearest valid name, and the others."""
    near = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)
    listed = ", ".join(sorted(valid)) or "none"
    return f"did you mean {near[0]!r}? (valid: {listed})" if near else f"valid: {listed}"


def valid_keys(model: type[BaseModel], where: Location) -> list[str]:
    """List the keys that a model knows at a place inside it."""
    found: list[Any] = [model]
    for part in where:
        found = [inner for kind in found for inner in _inside(kind, part)]
    return sorted({key for kind in found for key in _keys(kind)})


def _keys(kind: Any) -> Iterator[str]:
    for model in _models(kind):
        yield from (field.alias or name for name, field in model.model_fields.items())


def _inside(kind: Any, part: str | int) -> Iterator[Any]:
    if isinstance(part, int):
        yield from (inner for arg in _arms(kind) for inner in get_args(arg) if get_origin(arg) is not None)
        return
    for model in _models(kind):
        for name, field in model.model_fields.items():
            if part == (field.alias or name):
                yield field.annotation
    for arm in _arms(kind):
        if isinstance(get_origin(arm), type) and issubclass(get_origin(arm), Mapping):
            yield get_args(arm)[1]


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    for arm in _arms(kind):
        if isinstance(arm, type) and issubclass(arm, BaseModel):
            yield arm


def _arms(kind: Any) -> Iterator[Any]:
    if get_origin(kind) in (Union, UnionType):
        for arm in get_args(kind):
            yield from _arms(arm)
    else:
        yield kind


class _Builder:
    """Turns YAML nodes into plain data while noting lines."""

    def __init__(self, path: str) -> None:
        self.lines: dict[Location, int] = {}
        self._path = path
        self._open: list[int] = []  # nodes being built: an alias into one of them is a loop

    def build(self, node: yaml.Node, where: Location) -> Any:
        """Build one node and what is below it."""
        self.lines.setdefault(where, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if id(node) in self._open:
            raise self._error(node, "expected an alias of something finished, got a loop")
        self._open.append(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.build(item, (*where, index)) for index, item in enumerate(node.value)]
            return self._mapping(node, where)
        finally:
            self._open.pop()

    def _mapping(self, node: yaml.Node, where: Location) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._error(key_node, "expected a name as key, got a list or mapping")
            key = str(key_node.value)
            if key in built:
                first = self.lines[(*where, key)]
                raise self._error(key_node, f"the key {key!r} stands here and on line {first}: keep one")
            self.lines[(*where, key)] = key_node.start_mark.line + 1
            built[key] = self.build(value_node, (*where, key))
        return built

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        text = str(node.value)
        if node.tag != _STR_TAG:
            raise self._error(node, f"expected a plain value, got the tag {node.tag!r}")
        if node.style is not None:  # quoted, or a block: always text
            return text
        return plain_scalar(text)

    def _error(self, node: yaml.Node, message: str) -> DocumentError:
        return DocumentError([Finding(path=self._path, line=node.start_mark.line + 1, message=message)])


def _brief(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
