"""The collector's process is killed and told to end."""

from collections.abc import Mapping
from types import MappingProxyType

from _faults.contract import Fault

FAULTS: Mapping[str, Fault] = MappingProxyType({})
