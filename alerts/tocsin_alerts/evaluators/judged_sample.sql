/*
summary = "Evidence of a judge and of reviews together that calls are wrong more often than their own confidence said (e-detector)"
unit    = "nats of evidence"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32", most_evidence = "Float64", strict = "Float64" }
outcomes = ["judge"]

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
-- Window: reviews and judges' verdicts known by the slot, of calls of its last 90 days, none before the reference's end, in the order
-- of the calls: the first review or truth of a call that has one, else the first verdict of its judge. Made anew at every slot.
-- Method: as reviewed_sample, with 3 and 6 % of right answers turned wrong as alternatives. A judge is heard through its errors: it calls
-- wrong q (1 - misses) + (1 - q) slanders of the calls. Both are measured by source on the calls of 180 days that it and people (or the truth)
-- labelled; slanders also on the reference's own calls that nobody labelled but whose confidence makes nine in ten of them right: what the
-- judge calls wrong there beyond the calibration's share is slander. Slanders are taken one standard error up. A judge is not heard
-- under 30 right and 5 wrong labelled calls, or when it tells less than a fifth of the difference. Effect: how much more often wrong than calibrated, over calls of the last 14 days.
-- n: verdicts behind it. No interval: the sum is a test statistic. Baseline 0: no evidence. No sample where no judge is heard.
-- Assumes that the judge errs as often as it did where it was measured; a release that makes it harsher reads as a decline.
-- Source: Shin, Ramdas and Rinaldo (2023), E-detectors; Rogan and Gladen (1978), Estimating Prevalence from a Screening Test.
WITH
    {step_s:UInt32} AS step,
    said AS
    (
        SELECT
            project, use_case, model_version, prompt_version, call_id, toUnixTimestamp(toDateTime(started_at, 'UTC')) AS called_s, kind,
            toUnixTimestamp(toDateTime(observed_at, 'UTC')) AS known_s, assumeNotNull(ifNull(correct, score >= 0.5)) AS is_right, source,
            multiIf(confidence IS NULL, -1, confidence > 0.999999, 0, tocsin_doubt_bin_v1(least(ifNull(confidence, 0.), 0.999999))) AS bin, outcome_id
        FROM outcomes FINAL
        WHERE started_at >= {since:DateTime('UTC')} - 180 * 86400 AND started_at < {until:DateTime('UTC')} AND observed_at <= {until:DateTime('UTC')}
            AND kind IN ('judge', 'review', 'ground_truth') AND (served_by != 'fallback' OR is_probe) AND (correct IS NOT NULL OR score IS NOT NULL)
            AND (project, call_id) IN
            (
                SELECT project, call_id FROM outcomes
                WHERE started_at >= {since:DateTime('UTC')} - 180 * 86400 AND started_at < {until:DateTime('UTC')} AND kind IN ('judge', 'review')
            )
    ),
    by_call AS
    (
        SELECT
            project, use_case, model_version, prompt_version, call_id, any(called_s) AS at_s, any(bin) AS its_bin, countIf(kind = 'review') > 0 AS is_reviewed,
            minIf(known_s, kind != 'judge') AS people_s, argMinIf(NOT is_right, (known_s, outcome_id), kind != 'judge') AS is_wrong,
            minIf(known_s, kind = 'judge') AS judge_s, argMinIf(NOT is_right, (known_s, outcome_id), kind = 'judge') AS is_condemned,
            argMinIf(source, (known_s, outcome_id), kind = 'judge') AS judged_by
        FROM said
        GROUP BY project, use_case, model_version, prompt_version, call_id
    ),
    series AS
    (
        SELECT
            project, use_case, model_version, prompt_version, min(at_s) AS first_s, max(at_s) AS last_s,
            arrayMap(each -> (each.1, each.3, each.4, each.5, each.6, each.7, each.8, each.9),
                arraySort(groupArray((at_s, call_id, its_bin, people_s, is_wrong, judge_s, is_condemned, judged_by, is_reviewed)))) AS items
        FROM by_call
        GROUP BY project, use_case, model_version, prompt_version
        HAVING countIf(judge_s > 0) > 0
    ),
    present AS
    (
        SELECT *,
            arrayJoin(range(
                greatest(intDiv(first_s + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(last_s + 90 * 86400, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no
        FROM series
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
    -- A step of its own for what the next one names several times: a name is written out wherever it stands, and those in it again.
    met_by AS
    (
        SELECT *,
            known AND until > 0 AS enough, toUInt32(slot_no * step) AS slot_s,
            arrayMap((share, of) -> ((1 - share) * of + 0.5) / (of + 1), arrayPushFront(precision, accuracy), arrayPushFront(labels, all_labels)) AS means,
            arrayFilter(each -> each.5 > 0 AND each.5 <= slot_s AND each.3 > 0 AND each.3 <= slot_s AND each.1 + 180 * 86400 >= slot_s, items) AS met
        FROM paired
    ),
    counted AS
    (
        SELECT *,
            -- judge, condemned, chance of being wrong: of the reference's calls that nobody labelled
            arrayFilter(each -> each.3 <= 0.1, arrayMap(each -> (each.7, each.6, means[if(each.2 < 0 OR empty(bins), 1, 1 + greatest(1, arrayCount(knot -> knot <= each.2, bins)))]),
                arrayFilter(each -> enough AND its_model = model_version AND its_prompt = prompt_version AND each.5 > 0 AND each.5 <= slot_s
                    AND NOT (each.3 > 0 AND each.3 <= slot_s) AND each.1 < toUnixTimestamp(until) AND each.1 + 28 * 86400 >= toUnixTimestamp(until)
                    AND each.1 + 180 * 86400 >= slot_s, items))) AS unlabelled,
            arrayDistinct(arrayMap(each -> each.7, met)) AS sources,
            arrayMap(who -> arrayCount(each -> each.7 = who AND NOT each.4, met), sources) AS rights,
            arrayMap(who -> arrayCount(each -> each.7 = who AND each.4, met), sources) AS wrongs
        FROM met_by
    ),
    missed AS
    (
        SELECT *,
            arrayMap((who, of) -> (arrayCount(each -> each.7 = who AND each.4 AND NOT each.6, met) + 0.5) / (of + 1), sources, wrongs) AS misses,
            arrayMap((who, of) -> of + arraySum(each -> if(each.1 = who, 1 - each.3, 0.), unlabelled), sources, rights) AS behind
        FROM counted
    ),
    slandered AS
    (
        SELECT *,
            arrayMap((who, of, miss) -> (arrayCount(each -> each.7 = who AND NOT each.4 AND each.6, met) + 0.5
                + greatest(0., arraySum(each -> if(each.1 = who, each.2 - (1 - miss) * each.3, 0.), unlabelled))) / (of + 1), sources, behind, misses) AS slanders
        FROM missed
    ),
    judges AS
    (
        SELECT * EXCEPT (items),
            arrayMap((who, right_n, of, a, b) -> a + sqrt((right_n + 2) * a * (1 - a)
                + arraySum(each -> if(each.1 = who, (a + (1 - a - b) * each.3) * (1 - a - (1 - a - b) * each.3), 0.), unlabelled)) / (of + 2),
                sources, rights, behind, slanders, misses) AS harshness,
            arrayMap((right_n, wrong_n, a, b) -> right_n >= 30 AND wrong_n >= 5 AND 1 - a - b >= 0.2, rights, wrongs, harshness, misses) AS heard,
            arrayFilter(each -> each.1 < slot_s AND each.1 + 90 * 86400 >= slot_s AND (NOT enough OR each.1 >= toUnixTimestamp(until)), items) AS recent
        FROM slandered
    ),
    verdicts AS
    (
        SELECT *,
            -- when called, bin, judge (0: people), wrong
            arrayFilter(each -> each.3 >= 0, arrayMap(each -> (each.1, each.2,
                multiIf(each.3 > 0 AND each.3 <= slot_s AND (each.8 OR each.5 > 0), 0,
                    each.5 > 0 AND each.5 <= slot_s AND heard[indexOf(sources, each.7)], toInt32(indexOf(sources, each.7)), -1),
                if(each.3 > 0 AND each.3 <= slot_s, each.4, each.6)), recent)) AS seen,
            arrayMap((mean, of) -> least(0.95, greatest(0.001, mean + sqrt(mean * (1 - mean) / (of + 2)))), means, arrayPushFront(labels, all_labels)) AS chances
        FROM judges
        WHERE has(heard, 1)
    ),
    expectations AS
    (
        SELECT *,
            arrayMap(each -> if(each.2 < 0 OR empty(bins), 1, 1 + greatest(1, arrayCount(knot -> knot <= each.2, bins))), seen) AS steps,
            arrayMap(each -> if(each.3 > 0, harshness[each.3], 0.), seen) AS floors,
            arrayMap(each -> if(each.3 > 0, 1 - harshness[each.3] - misses[each.3], 1.), seen) AS slopes,
            arrayMap((number, a, slope) -> a + slope * chances[number], steps, floors, slopes) AS expected
        FROM verdicts
    ),
    measured AS
    (
        SELECT *,
            arrayMap(flips -> arrayFold((sum, ratio) -> ratio + least({most_evidence:Float64} + {strict:Float64}, greatest(0., sum)), arrayMap((each, number, a, slope, p) ->
                if(each.4, log((a + slope * (chances[number] + (1 - chances[number]) * flips)) / p),
                    log((1 - a - slope * (chances[number] + (1 - chances[number]) * flips)) / (1 - p))),
                seen, steps, floors, slopes, expected), 0.), [0.03, 0.06]) AS sums,
            arrayMax(sums) + log(arrayAvg(sum -> exp(sum - arrayMax(sums)), sums)) AS evidence,
            arrayFilter((x, each) -> each.1 + 14 * 86400 >= slot_s, arrayMap((each, number) -> if(each.3 > 0,
                (each.4 - slanders[each.3]) / (1 - slanders[each.3] - misses[each.3]), toFloat64(each.4)) - means[number], seen, steps), seen) AS excess
        FROM expectations
    )
SELECT
    project, use_case, model_version, prompt_version, slot,
    if(enough AND notEmpty(seen), greatest(0., evidence), NULL) AS value,
    CAST(NULL, 'Nullable(Float64)') AS lower,
    CAST(NULL, 'Nullable(Float64)') AS upper,
    if(enough AND notEmpty(seen), 0., NULL) AS baseline,
    if(enough AND notEmpty(excess), arrayAvg(excess), NULL) AS effect,
    toUInt64(length(seen)) AS n
FROM measured
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
