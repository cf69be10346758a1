"""Messages about a use case that does not exist: for checking templates, for test messages, for the documentation."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from tocsin_alerts.message import (
    Action,
    Alert,
    Day,
    Drift,
    Example,
    Impact,
    Measure,
    Money,
    Release,
    Retraining,
    Runbook,
    Segment,
    View,
)

_SLOT: Final = datetime(2026, 4, 17, tzinfo=UTC)
_ONSET: Final = datetime(2026, 4, 15, tzinfo=UTC)

_ESTIMATE: Final = Alert(
    rule="estimated-accuracy-drop",
    summary="Estimated accuracy has dropped from its reference",
    evaluator="estimated_accuracy",
    unit="share",
    severity="page",
    state="firing",
    measure=Measure(value=0.878, lower=0.871, upper=0.885, baseline=0.941, n=14_002),
    threshold=0.931,
    reason="drop 0.063 >= 0.01 and z -17.6 <= -3",
    labels={"model_version": "2026-01"},
    since=_SLOT,
    is_new=False,
)
_FLOOR: Final = Alert(
    rule="accuracy-below-floor",
    summary="Accuracy is below the floor that its plan sets",
    evaluator="accuracy",
    unit="share",
    severity="page",
    state="firing",
    measure=Measure(value=0.883, lower=0.868, upper=0.896, baseline=0.943, n=2_034),
    threshold=0.9,
    reason="upper 0.896 < floor 0.9",
    labels={"model_version": "2026-01"},
    since=_SLOT,
    is_new=True,
)

_HISTORY: Final = (
    0.944, 0.941, 0.946, 0.938, 0.943, None, 0.940, 0.942, 0.939, 0.937, 0.935, 0.931, 0.933, 0.926,
    0.921, 0.917, 0.918, 0.909, 0.905, 0.902, 0.897, 0.893, 0.895, 0.889, 0.884, 0.881, 0.879, 0.874,
)  # fmt: skip
_DAYS: Final = tuple(
    Day(slot=_SLOT - timedelta(days=27 - number), labelled=value if number < 24 else None,
        estimated=None if value is None else round(value - 0.003, 3))
    for number, value in enumerate(_HISTORY)
)  # fmt: skip

FIRING: Final = View(
    transition="firing",
    severity="page",
    project="default",
    use_case="digit-reader",
    incident="7f3c9a1e52b04d68",
    do_now="Act: about 10 wrong answers an hour (5 before). To fall back:",
    command="tocsin guard set digit-reader fallback",
    changed="What changed: the data",
    opened=_SLOT,
    onset=_ONSET,
    slot=_SLOT,
    lead=_FLOOR,
    alerts=(_FLOOR, _ESTIMATE),
    more_alerts=0,
    quality=_FLOOR.measure,
    estimated=_ESTIMATE.measure,
    wrong_per_day=234.0,
    calls_per_day=2_000.0,
    history=_HISTORY,
    days=_DAYS,
    drifted=(
        Drift(field="edge_sharpness", psi=0.412, detail="median 0.61 → 0.44"),
        Drift(field="ink", psi=0.187, detail="median 0.21 → 0.26"),
        Drift(field="centroid_x", psi=0.052, detail="median 0.49 → 0.53"),
    ),
    worst_segment=Segment(
        name="device",
        value="flatbed-2",
        measure=Measure(value=0.712, lower=0.659, upper=0.760, baseline=0.938, n=301),
        is_estimate=False,
    ),
    examples=(
        Example(call_id="4bf92f3577b34da6a3ce929d0e0e4736", at=_SLOT - timedelta(hours=2), answer="3", confidence=0.97,
                truth="8", inputs="edge_sharpness=0.38 ink=0.31 device=flatbed-2"),
        Example(call_id="0af7651916cd43dd8448eb211c80319c", at=_SLOT - timedelta(hours=5), answer="1", confidence=0.95,
                truth="7", inputs="edge_sharpness=0.41 ink=0.18 device=flatbed-2"),
        Example(call_id="b9c7c989f97918e1e0a5bc3f2f6b2c11", at=_SLOT - timedelta(hours=9), answer="5", confidence=0.91,
                truth="6", inputs="edge_sharpness=0.35 ink=0.29 device=flatbed-2"),
        Example(call_id="d4cda95b652f4a1592b449d5929fda1b", at=_SLOT - timedelta(hours=1), answer="9", confidence=0.44,
                truth=None, inputs="edge_sharpness=0.29 ink=0.33 device=handheld-1"),
        Example(call_id="6e0c63257de34c926f9efcd03927272e", at=_SLOT - timedelta(hours=1), answer="4", confidence=0.41,
                truth=None, inputs="edge_sharpness=0.30 ink=0.27 device=flatbed-2"),
    ),
    owner="vision-team",
    contact="vision-oncall@example.com",
    runbook=Runbook(
        link="https://wiki.example.com/runbooks/digit-reader",
        steps=("Look at the five calls: is one device in all of them?",
               "Ask the site whether a scanner was changed or cleaned."),
        guide="tocsin rules runbook accuracy-below-floor",
    ),
    dashboard="https://grafana.example.com/d/digit-reader",
    action=Action(
        state="fallback", applied=False, cause="accuracy-below-floor: upper 0.896 < floor 0.9", probe_share=0.05,
        hold_until=None, in_force="normal",
    ),
    commands=(
        "tocsin alerts ack 7f3c9a1e52b0", "tocsin alerts silence digit-reader --for 2h --because WHY",
        "tocsin alerts list --use-case digit-reader", "tocsin guard show digit-reader",
    ),
    explanation=(
        "Began 2026-03-22 (between 2026-03-20 and 2026-03-25), gradually: 94.2% to 87.4% by estimate",
        "Moved first: edge_sharpness since 2026-03-24 (PSI 0.41); then ink since 2026-04-02 (PSI 0.19)",
        "6.6 points more estimated wrong; of it device = flatbed-2 5.1, device = handheld-1 1.2; by the shift of edge_sharpness 4.8",
    ),
    release=Release(version="2026-01 with prompt p4", since=_SLOT - timedelta(days=11), share=1.0, looked_days=60),
    impact=Impact(
        since=_ONSET, calls=4_012, users=310, money=(Money(currency="USD", spent=16.05, unpriced=0),)
    ),
    retraining=Retraining(state="", action="", slot=None, said=""),
)  # fmt: skip

UPDATED: Final = replace(FIRING, transition="updated", opened=_ONSET, lead=_ESTIMATE)

RESOLVED: Final = replace(
    FIRING,
    transition="resolved",
    do_now="Nothing to do: every alert of this incident is over.",
    command="",
    onset=_ONSET - timedelta(days=2),
    opened=_ONSET,
    slot=datetime(2026, 5, 12, tzinfo=UTC),
    alerts=tuple(
        replace(alert, state="resolved", reason=reason, is_new=False)
        for alert, reason in ((_FLOOR, "value 0.936 >= floor 0.9"), (_ESTIMATE, "drop 0.004 < 0.01"))
    ),
    quality=Measure(value=0.936, lower=0.925, upper=0.945, baseline=0.943, n=2_121),
    estimated=Measure(value=0.937, lower=0.930, upper=0.943, baseline=0.941, n=13_870),
    commands=FIRING.commands[2:],
    drifted=(),
    worst_segment=None,
    examples=(),
    action=Action(
        state="normal", applied=True, cause="new scanner installed", probe_share=0.05, hold_until=None,
        in_force="normal",
    ),
)  # fmt: skip

# A use case nobody wrote a plan for, of which next to nothing is known.
BARE: Final = replace(
    FIRING,
    severity="ticket",
    command="",
    changed="",
    do_now="Look at it in working hours: no calls where this hour of the week usually has some.",
    alerts=(
        replace(
            _FLOOR,
            rule="freshness",
            summary="",
            unit="s",
            severity="ticket",
            measure=Measure(value=None),
            threshold=None,
            reason="no calls",
            labels={},
        ),
    ),
    lead=replace(
        _FLOOR, rule="freshness", summary="", unit="s", measure=Measure(value=None), threshold=None, reason="no calls"
    ),
    quality=None,
    estimated=None,
    wrong_per_day=None,
    calls_per_day=None,
    days=(),
    history=(),
    drifted=(),
    worst_segment=None,
    examples=(),
    owner="",
    contact="",
    runbook=Runbook(link="", steps=()),
    dashboard="",
    action=None,
    explanation=(),
    release=None,
    impact=None,
    retraining=None,
)

SAMPLES: Final = (
    FIRING,
    UPDATED,
    RESOLVED,
    BARE,
    replace(BARE, transition="updated"),
    replace(BARE, transition="resolved"),
)
