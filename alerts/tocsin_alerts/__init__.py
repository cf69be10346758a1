"""The alert side: evaluators, rules, the state of alerts, and the records that pass between them.

Delivery, the guard and their servers are imported from their own modules: they bring Jinja and gRPC with them, which
the plans and rules do not need.
"""

from tocsin_alerts.checks import check, run_tests
from tocsin_alerts.documents import load
from tocsin_alerts.engine import ClockMode, Engine, TickReport
from tocsin_alerts.errors import AlertsError, DocumentError, EvaluatorError, Finding, RuleError
from tocsin_alerts.evaluator import Evaluator, evaluate, load_evaluators
from tocsin_alerts.plan import Plan, Plans, Question, render_yaml
from tocsin_alerts.ports import Query
from tocsin_alerts.records import AlertEvent, AlertState, GuardMode, GuardRow, GuardState, Overlay, Sample, Severity
from tocsin_alerts.rule import Rule
from tocsin_alerts.rules import RuleBook, load_rules
from tocsin_alerts.sinks import EventSink
from tocsin_alerts.status import Standing, UseCaseStatus

__all__ = [
    "AlertEvent",
    "AlertState",
    "AlertsError",
    "ClockMode",
    "DocumentError",
    "Engine",
    "Evaluator",
    "EvaluatorError",
    "EventSink",
    "Finding",
    "GuardMode",
    "GuardRow",
    "GuardState",
    "Overlay",
    "Plan",
    "Plans",
    "Query",
    "Question",
    "Rule",
    "RuleBook",
    "RuleError",
    "Sample",
    "Severity",
    "Standing",
    "TickReport",
    "UseCaseStatus",
    "check",
    "evaluate",
    "load",
    "load_evaluators",
    "load_rules",
    "render_yaml",
    "run_tests",
]
