"""Langfuse's own SDK sending to a real collector, as the page says."""

import json
import os
from pathlib import Path

import pytest
from tests.docs.pages import shown
from tests.docs.story import Story
from tests.end_to_end.conftest import _wait_for as wait_for

PAGE = "migrating/langfuse.md"
ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(os.environ.get("TOCSIN_LANGFUSE", ROOT / ".cache" / "langfuse" / "bin" / "python"))


@pytest.mark.skipif(
    not PYTHON.exists(),
    reason="needs Langfuse's SDK in an environment of its own: .ci/langfuse .cache/langfuse makes it",
)
def test_generations_are_calls_and_scores_are_outcomes(tmp_path: Path) -> None:
    """A team that moves sends to both for a month; what arrives must be what Langfuse shows."""
    service, map_and_run, scores, load = shown(PAGE, tested_by=__file__)
    own = {
        "LANGFUSE_PUBLIC_KEY": "pk-lf-1",
        "LANGFUSE_SECRET_KEY": "sk-lf-1",
        "LANGFUSE_BASE_URL": "http://127.0.0.1:9",
    }

    with Story(tmp_path, **own) as story:
        story.run(service)
        story.command("tocsin up")
        up = story.up
        assert up is not None
        story.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://{up.facts['http'].removeprefix('http://')}"
        (tmp_path / ".bin" / "python").write_text(f'#!/bin/sh\nexec {PYTHON} "$@"\n')
        story.run(map_and_run)
        wait_for(lambda: up.query("SELECT count() FROM calls")[0][0], what="the call")
        [[use_case, call_id, *said]] = up.query(
            "SELECT use_case, call_id, model_name, input_tokens, output_tokens, user_id, session_id, trace_id, span_id FROM calls"
        )
        trace_id, span_id = said[-2:]
        score = {
            "traceId": trace_id,
            "observationId": span_id,
            "value": 1,
            "timestamp": "2026-03-02T12:00:00Z",
            "name": "right",
        }
        (tmp_path / "scores.json").write_text(json.dumps({"data": [score, {**score, "observationId": None}]}))
        story.run(scores)
        told = story.run(load)

    assert (use_case, call_id) == ("ticket-triage", trace_id + span_id)
    assert said[:5] == ["gpt-4o-mini", 20, 3, "u-17", "s-4"]
    assert "matched        1" in told
