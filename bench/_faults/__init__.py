"""Faults that the collector must survive, one module per area; bench/faults.py runs them."""

from _faults.contract import Fault, FaultResult, Scale

__all__ = ["Fault", "FaultResult", "Scale"]
