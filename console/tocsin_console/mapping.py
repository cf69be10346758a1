"""Adds an entry to ``use_case_map`` of tocsin.yaml without touching what else stands there."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from tocsin_console.config_file import TocsinYaml
from tocsin_console.errors import UsageProblem

_KEY = re.compile(r"^use_case_map\s*:\s*(\[\s*\])?\s*(#.*)?$")


def put_first(file: Path, entry: Mapping[str, str]) -> None:
    """Write an entry before the others, since the first match wins; comments stay as they are.

    Raises:
        UsageProblem: the list is written in a way that this cannot extend.
        DocumentError: the file does not read afterwards; it is left as it was.
    """
    from tocsin_alerts.documents import parse

    text = file.read_text(encoding="utf-8") if file.exists() else ""
    line = "  - {" + ", ".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in entry.items()) + "}"
    lines = text.splitlines()
    place = next((number for number, each in enumerate(lines) if _KEY.match(each)), None)
    if place is not None:
        lines[place] = re.sub(r"\[\s*\]", "", lines[place]).rstrip()
        indent = _indent_of_list(lines, place)
        lines.insert(place + 1, indent + line.strip())
    elif any(each.startswith("use_case_map") for each in lines):
        raise UsageProblem(f"expected use_case_map in {file} as a list with a line for each entry: rewrite it so")
    else:
        lines += ["use_case_map:  # first match wins", line]
    written = "\n".join(lines) + "\n"
    parse(written, path=str(file)).into(TocsinYaml)
    draft = file.with_suffix(".tmp")
    draft.write_text(written, encoding="utf-8")
    draft.replace(file)


def _indent_of_list(lines: list[str], place: int) -> str:
    for each in lines[place + 1 :]:
        if each.lstrip().startswith("- "):
            return each[: len(each) - len(each.lstrip())]
        if each.strip() and not each.lstrip().startswith("#"):
            break
    return "  "
