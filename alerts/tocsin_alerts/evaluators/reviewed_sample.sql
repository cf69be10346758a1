/*
summary = "Evidence that reviewed calls are wrong more often than their own confidence said (e-detector)"
unit    = "nats of evidence"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32", most_evidence = "Float64", strict = "Float64" }
outcomes = ["review"]

[columns]
project        = "LowCardinality(String)"
use_case       = "LowCardinality(String)"
model_version  = "LowCardinality(String)"
prompt_version = "LowCardinality(String)"
slot           = "DateTime64(3, 'UTC')"
value          = "Nullable(Float64)"
lower          = "Nullable(Float64)"
upper          = "Nullable(Float64)"
baseline       = "Nullable(Float64)"
effect         = "Nullable(Float64)"
n              = "UInt64"
*/
-- Window: the last review of each call that was known by the slot, of calls of its last 90 days, none before the
-- reference's end, in the order of the calls. The sum is made anew at every slot, so it does not depend on who asked before.
-- Method: each call has the chance q of being wrong that its confidence had in the reference (without confidence, that of all
-- calls). Its review is the likelihood ratio of an alternative in which wrong answers are more frequent than q: odds twice
-- as high, or 5 or 12 % of right answers turned wrong at any confidence. The three ratios are summed each as a CUSUM, which keeps
-- no more than most_evidence (and strict, by which thresholds are raised) from one review to the next; their mean is the evidence. Conditional on confidence, so it is valid under any way of choosing calls that was settled before their reviews.
-- A calibration's own uncertainty: q is its posterior mean plus one standard error of the step, at least 0.001 (reviewers err too).
-- Effect: how much more often wrong than calibrated the reviewed calls of the last 28 days were, each counting once: what it would be for
-- all calls where answers turn wrong at any confidence. Weighted as reviewed_accuracy is, a few calls would decide it, and days later.
-- n: reviews behind it. No interval: the sum is a test statistic. Baseline 0: no evidence. NULL without a calibration.
-- Source: Shin, Ramdas and Rinaldo (2023), E-detectors; Jeffreys' prior for the steps.
WITH
    {step_s:UInt32} AS step,
    verdicts AS
    (
        SELECT
            project, use_case, model_version, prompt_version, call_id, toUnixTimestamp(toDateTime(started_at, 'UTC')) AS called_s, confidence,
            toUnixTimestamp(toDateTime(observed_at, 'UTC')) AS known_s, ifNull(correct, score >= 0.5) AS is_right,
            leadInFrame(known_s, 1, toUInt32(4294967295)) OVER (PARTITION BY project, call_id ORDER BY observed_at, outcome_id
                ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS until_s
        FROM outcomes FINAL
        WHERE started_at >= {since:DateTime('UTC')} - 90 * 86400 AND started_at < {until:DateTime('UTC')} AND observed_at <= {until:DateTime('UTC')}
            AND kind = 'review' AND (served_by != 'fallback' OR is_probe) AND (correct IS NOT NULL OR score IS NOT NULL)
    ),
    reviewed AS
    (
        SELECT
            project, use_case, model_version, prompt_version,
            groupArray((called_s, known_s, bin, NOT assumeNotNull(is_right), until_s)) AS items
        FROM
        (
            SELECT *,
                multiIf(confidence IS NULL, -1, confidence > 0.999999, 0, tocsin_doubt_bin_v1(least(ifNull(confidence, 0.), 0.999999))) AS bin
            FROM verdicts
            ORDER BY called_s, call_id, known_s
        )
        GROUP BY ALL
    ),
    present AS
    (
        SELECT
            *,
            arrayJoin(range(
                greatest(intDiv(toUInt32(arrayMin(each -> each.2, items) - 1) + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(arrayMax(each -> each.1, items) + 90 * 86400, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no
        FROM reviewed
    ),
    past AS
    (
        SELECT project, use_case, model_version AS its_model, prompt_version AS its_prompt, until, bins, precision, labels, n AS all_labels, accuracy
        FROM calibrations FINAL
    ),
    paired AS
    (
        SELECT *, toDateTime64(slot_no * step, 3, 'UTC') AS slot, until <= slot AS known
        FROM present LEFT JOIN past USING (project, use_case)
        ORDER BY known DESC, its_model = model_version AND its_prompt = prompt_version DESC, until DESC
        LIMIT 1 BY project, use_case, model_version, prompt_version, slot_no
    ),
    kept AS
    (
        SELECT * EXCEPT (items),
            known AND until > 0 AS enough,
            arrayFilter(each -> each.2 <= slot_no * step AND slot_no * step < each.5 AND each.1 < slot_no * step AND each.1 + 90 * 86400 >= slot_no * step
                AND (NOT enough OR each.1 >= toUnixTimestamp(until)), items) AS seen,
            arrayMap((share, of) -> ((1 - share) * of + 0.5) / (of + 1), arrayPushFront(precision, accuracy), arrayPushFront(labels, all_labels)) AS means,
            arrayMap((mean, of) -> least(0.95, greatest(0.001, mean + sqrt(mean * (1 - mean) / (of + 2)))), means, arrayPushFront(labels, all_labels)) AS chances,
            arrayMap(each -> if(each.3 < 0 OR empty(bins), 1, 1 + greatest(1, arrayCount(knot -> knot <= each.3, bins))), seen) AS steps
        FROM paired
    ),
    measured AS
    (
        SELECT *,
            arrayMap(alternative -> arrayFold((sum, ratio) -> ratio + least({most_evidence:Float64} + {strict:Float64}, greatest(0., sum)), arrayMap((each, number) ->
                if(each.4, log(if(alternative.1 > 0, alternative.1 / (1 - chances[number] + alternative.1 * chances[number]), (chances[number] + (1 - chances[number]) * alternative.2) / chances[number])),
                    log(if(alternative.1 > 0, 1 / (1 - chances[number] + alternative.1 * chances[number]), 1 - alternative.2))),
                seen, steps), 0.), [(2., 0.), (0., 0.05), (0., 0.12)]) AS sums,
            arrayMax(sums) + log(arrayAvg(sum -> exp(sum - arrayMax(sums)), sums)) AS evidence,
            arrayFilter(each -> each.1.1 + 28 * 86400 >= slot_no * step, arrayZip(seen, steps)) AS latest
        FROM kept
    )
SELECT
    project, use_case, model_version, prompt_version, slot,
    if(enough AND notEmpty(seen), greatest(0., evidence), NULL) AS value,
    CAST(NULL, 'Nullable(Float64)') AS lower,
    CAST(NULL, 'Nullable(Float64)') AS upper,
    if(enough AND notEmpty(seen), 0., NULL) AS baseline,
    if(enough AND notEmpty(latest), arrayAvg(each -> each.1.4 - means[each.2], latest), NULL) AS effect,
    toUInt64(length(seen)) AS n
FROM measured
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
