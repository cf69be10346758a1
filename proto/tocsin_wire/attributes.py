"""Attribute keys on AI-call spans, with types and units.

OpenTelemetry's own names wherever one exists. We keep our own constants because the semantic-conventions package
marks the ``gen_ai`` ones as moved. Source: OpenTelemetry semantic conventions, GenAI and general attributes.
"""

from typing import Final

USE_CASE: Final = "tocsin.use_case"  # string: the AI feature, "ticket-triage"
CALL_ID: Final = "tocsin.call.id"  # string: join key for outcomes; default trace id + span id
CALL_KEY: Final = "tocsin.call.key"  # string: the caller's own key, by which outcomes may come; need not be unique
MODEL_NAME: Final = "tocsin.model.name"  # string, for models that gen_ai.* does not describe
MODEL_VERSION: Final = "tocsin.model.version"  # string
PROMPT_VERSION: Final = "gen_ai.prompt.version"  # string
PROMPT_HASH: Final = "tocsin.prompt.version"  # string: hash of the template, when nobody named a version
TASK: Final = "tocsin.task"  # string: one of TASKS
INPUT_PREFIX: Final = "tocsin.input."  # + field: number, string or bool
NULL_INPUTS: Final = "tocsin.null_inputs"  # string: JSON array of the fields that held nothing, or NaN
OUTPUT_LABEL: Final = "tocsin.output.label"  # string
OUTPUT_VALUE: Final = "tocsin.output.value"  # double
OUTPUT_TEXT: Final = "tocsin.output.text"  # string
PROBABILITY_PREFIX: Final = "tocsin.output.probability."  # + class: double, 0 to 1
CONFIDENCE: Final = "tocsin.confidence"  # double, 0 to 1
CONFIDENCE_SOURCE: Final = "tocsin.confidence.source"  # string: one of CONFIDENCE_SOURCES
COST_AMOUNT: Final = "tocsin.cost.amount"  # double, in COST_CURRENCY
COST_CURRENCY: Final = "tocsin.cost.currency"  # string, ISO 4217
COST_SOURCE: Final = "tocsin.cost.source"  # string: provider, local, collector
ATTEMPT: Final = "tocsin.attempt"  # int, from 1: every attempt is a call and is costed
RETRY_OF: Final = "tocsin.retry_of"  # string: call id of the first attempt
SERVED_BY: Final = "tocsin.served_by"  # string: model, fallback
GUARD_STATE: Final = "tocsin.guard.state"  # string: one of GUARD_STATES
GUARD_DECISION: Final = "tocsin.guard.decision"  # string: one of GUARD_DECISIONS
GUARD_SHADOW_DECISION: Final = "tocsin.guard.shadow_decision"  # string: what an automatic guard would have decided
PROBE: Final = "tocsin.probe"  # bool: the model was asked while the fallback was served
WEIGHT: Final = "tocsin.weight"  # double > 0: calls that this one stands for when the caller sampled
FLAGS: Final = "tocsin.flags"  # string: comma-joined, what was cut, clamped or refused about this call

PROMPT_PREFIX: Final = (
    "tocsin.input.prompt."  # + feature: what is measured of a prompt before anything is taken out of it
)
CAPTURE: Final = "tocsin.capture"  # string: one of CAPTURES, what became of this call's content
REVIEW_PICK: Final = "tocsin.review.pick"  # string: one of REVIEW_PICKS, why this call's content was sent; else absent
REVIEW_SHARE: Final = "tocsin.review.share"  # double, 0 to 1: the probability with which it was picked
INPUT_MESSAGES: Final = "gen_ai.input.messages"  # string: JSON array of {role, parts}
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"  # string: as INPUT_MESSAGES
SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"  # string: JSON array of parts

SERVICE_NAME: Final = "service.name"
SERVICE_VERSION: Final = "service.version"
ENVIRONMENT: Final = "deployment.environment.name"
ERROR_TYPE: Final = "error.type"
SESSION_ID: Final = "session.id"
USER_ID: Final = "user.id"
REQUEST_MODEL: Final = "gen_ai.request.model"
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_ID: Final = "gen_ai.response.id"
OPERATION: Final = "gen_ai.operation.name"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
FLAG_KEY: Final = "feature_flag.key"
FLAG_VARIANT: Final = "feature_flag.result.variant"
FLAG_REASON: Final = "feature_flag.result.reason"  # string: one of FLAG_REASONS
FLAG_PROVIDER: Final = "feature_flag.provider.name"
FLAG_VERSION: Final = "feature_flag.version"  # string: of the guard's row, one more than the last
FLAG_SET: Final = "feature_flag.set.id"  # string: the project

TASKS: Final = ("classification", "regression", "ranking", "extraction", "generation")
CONFIDENCE_SOURCES: Final = ("proba", "logprob", "margin", "self_reported")
GUARD_STATES: Final = ("normal", "verify", "fallback", "off")
GUARD_DECISIONS: Final = ("answer", "verify", "fallback")
FLAG_REASONS: Final = ("static", "stale", "default")  # as heard; last known while unreachable; never heard
CAPTURES: Final = ("off", "features", "redacted", "full")
REVIEW_PICKS: Final = ("review", "example")
OUTCOME_KINDS: Final = ("ground_truth", "review", "feedback", "judge", "support")

GUARD_FLAG_PREFIX: Final = "tocsin.guard."  # + use case: the flag that carries the guard's state

# Log events that say what turned out to be true of a call.
OUTCOME_EVENT: Final = (
    "tocsin.outcome"  # event name; the call by CALL_HANDLE, or USE_CASE and CALL_ID, or the trace's ids
)
EVALUATION_EVENT: Final = "gen_ai.evaluation.result"  # event name of OpenTelemetry's
CALL_HANDLE: Final = "tocsin.call.handle"  # string: "t1.…", expanded by the collector
CALL_STARTED: Final = "tocsin.call.started_unix_nano"  # string or int: when the call was made
OUTCOME_KIND: Final = "tocsin.outcome.kind"  # string: one of OUTCOME_KINDS
OUTCOME_SOURCE: Final = "tocsin.outcome.source"  # string: who or what says so
OUTCOME_LABEL: Final = "tocsin.outcome.label"  # string: the right answer
OUTCOME_VALUE: Final = "tocsin.outcome.value"  # double: the right number; of source "rank" the place of the right item, 1 first, 0 not shown
OUTCOME_SCORE: Final = "tocsin.outcome.score"  # double, 0 (worthless) to 1 (right)
OUTCOME_CORRECT: Final = "tocsin.outcome.correct"  # bool
OUTCOME_MINUTES: Final = "tocsin.outcome.minutes"  # double: human time that it cost
OUTCOME_AUTHOR: Final = "tocsin.outcome.author"  # string
OUTCOME_COMMENT: Final = "tocsin.outcome.comment"  # string
