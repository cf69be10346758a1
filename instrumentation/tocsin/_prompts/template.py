"""The part of a prompt that its developer wrote, as a hash: what a prompt's version is when nobody names one. Pure."""

import hashlib
import re
from typing import Final

_READ: Final = 65_536  # characters
# What changes with every call although nobody changed the prompt: dates, times, ids, addresses, numbers.
_CHANGING: Final = re.compile(
    r"https?://[^\s<>\"')]+"
    r"|[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+"
    r"|\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6}\b"
    r"|\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"
    r"|\b(?=[0-9a-fA-F]{0,31}[0-9])[0-9a-fA-F]{12,64}\b"
    r"|\d+(?:[.,:/-]\d+)*"
)
_SPACE: Final = re.compile(r"\s+")


def template_hash(template: str) -> str:
    """Hash a system prompt or template: 12 hexadecimal digits, the same for the same words in every process.

    Numbers, dates, ids, addresses and white space do not count, so that "Today is 3 May" is the same prompt tomorrow.
    """
    written = _SPACE.sub(" ", _CHANGING.sub("0", template[:_READ])).strip()
    return hashlib.blake2b(written.encode("utf-8", "surrogatepass"), digest_size=6, person=b"tocsin-prompt").hexdigest()


def without_template(text: str, template: str) -> str:
    """Take a template's fixed ends off a prompt that was made from it: what is left is what was filled in."""
    first = re.search(r"\{", template)
    if first is None:
        return text
    before, after = template[: first.start()], template[template.rfind("}") + 1 :]
    if len(before) + len(after) <= len(text) and text.startswith(before) and text.endswith(after):
        return text[len(before) : len(text) - len(after)]
    return text
