/*
summary = "How far a day's values of each input field lie from the reference, by four statistics"
unit    = "as the statistic says"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }

[columns]
project   = "String"
use_case  = "String"
field     = "String"
statistic = "String"
slot      = "DateTime64(3, 'UTC')"
value     = "Nullable(Float64)"
lower     = "Nullable(Float64)"
upper     = "Nullable(Float64)"
baseline  = "Nullable(Float64)"
n         = "UInt64"
*/
-- Window: one day, whichever version answered: its scan is a seventh of input_psi's, which compares whole weeks.
-- jensen_shannon: distance in base 2, 0 to 1, over the reference's buckets, less what chance alone would give.
-- ks and wasserstein: of numbers, over the 2 % bins; the latter by their geometric middles, in standard deviations of the
-- reference (NULL when it has none). cramers_v: of categories, over the reference's, corrected for bias.
-- NULL under 200 values on either side, or before a reference is frozen. One query for four: they read the same rows.
-- Interval: jensen_shannon and cramers_v by the first two moments of a noncentral chi-square (the divergence is an eighth of it
-- in units of its noise); ks and wasserstein by the Dvoretzky-Kiefer-Wolfowitz band, which holds for binned values too.
-- Source: Lin (1991), Divergence Measures Based on the Shannon Entropy; Vallender (1974), Calculation of the Wasserstein
-- Distance; Massart (1990), The Tight Constant in the DKW Inequality; Bergsma (2013), A Bias-Correction for Cramér's V.
-- Cells are grouped by one number for all of their names, three times as fast as by the names.
WITH
    {step_s:UInt32} AS step,
    -- The end of the first slot: nothing before its window is read.
    (intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1) * step AS first_end,
    -- Whole days where slots are midnights: the store has their sums ready (the projection by_day).
    if({step_s:UInt32} % 86400 = 0, 86400, 3600) AS grain,
    cells AS
    (
        SELECT
            any(h.project) AS project, any(h.use_case) AS use_case, any(h.field) AS field, any(h.kind) AS kind, any(h.bin) AS bin,
            any(h.category) AS category, any(h.slot_no) AS slot_no, sum(n) AS rows
        FROM
        (
            SELECT
                project, use_case, field, kind, bin, category, n,
                arrayJoin(range(
                    greatest(intDiv((unit + 1) * grain - 1 + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                    least(intDiv(unit * grain + 86400, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no,
                cityHash64(project, use_case, field, kind, bin, category, slot_no) AS cell
            FROM
            (
                SELECT project, use_case, field, kind, bin, category, intDiv(toUnixTimestamp(hour), grain) AS unit, sum(c.n) AS n
                FROM input_histogram_1h AS c
                WHERE kind IN ('number', 'category') AND segment_name = ''
                    AND unit >= intDiv(first_end - 86400, grain) AND unit < intDiv(toUnixTimestamp({until:DateTime('UTC')}) + grain - 1, grain)
                GROUP BY project, use_case, field, kind, bin, category, unit
            )
        ) AS h
        GROUP BY cell
        HAVING rows > 0
    ),
    present AS
    (
        SELECT
            project, use_case, field, slot_no, toFloat64(sum(rows)) AS calls,
            groupArrayIf(bin, kind = 'number') AS bins, groupArrayIf(toFloat64(rows), kind = 'number') AS counts,
            groupArrayIf(category, kind = 'category') AS texts, groupArrayIf(toFloat64(rows), kind = 'category') AS text_counts
        FROM cells
        GROUP BY ALL
    ),
    past AS
    (
        SELECT
            project, use_case, field, model_version AS its_model, prompt_version AS its_prompt, until,
            anyIf(p.edges, kind = 'input') AS edges, anyIf(p.names, kind = 'input') AS names, anyIf(p.figures, kind = 'input') AS expected,
            anyIf(p.edges, kind = 'number') AS then_bins, anyIf(p.figures, kind = 'number') AS then_counts, arraySum(expected) AS then_calls
        FROM (SELECT * FROM reference_profiles FINAL WHERE kind IN ('input', 'number')) AS p
        GROUP BY ALL
    ),
    paired AS
    (
        SELECT *, toDateTime64(slot_no * step, 3, 'UTC') AS slot, until <= slot AS known
        FROM present LEFT JOIN past USING (project, use_case, field)
        ORDER BY known DESC, until DESC, its_model DESC, its_prompt DESC
        LIMIT 1 BY project, use_case, field, slot_no
    ),
    counted AS
    (
        SELECT *,
            known AND calls >= 200 AND then_calls >= 200 AS enough,
            arrayConcat(tocsin_bucket_counts_v1(edges, bins, counts),
                arrayMap(k -> arraySum((v, c) -> if(v = k, c, 0), texts, text_counts), names)) AS matched,
            arrayResize(arrayPushBack(matched, calls - arraySum(matched)), length(expected)) AS seen,
            -- The two distribution functions' difference behind each value of either side.
            arraySum(counts) AS numbers, arraySum(then_counts) AS then_numbers,
            known AND numbers >= 200 AND then_numbers >= 200 AS numeric,
            arraySort(step_at -> step_at.1, arrayConcat(
                arrayMap((b, c) -> (b, c / numbers), bins, counts), arrayMap((b, c) -> (b, -c / then_numbers), then_bins, then_counts))) AS steps,
            steps.1 AS bins_at,
            arrayMap(b -> tocsin_bin_v1_value(b), bins_at) AS values_at,
            arrayMap(gap -> abs(gap), arrayCumSum(steps.2)) AS gaps,
            arrayMap((x, after) -> after - x, arrayPopBack(values_at), arrayPopFront(values_at)) AS widths
        FROM paired
    ),
    measured AS
    (
        SELECT *,
            1 / calls + 1 / then_calls AS noise,
            greatest(0., arraySum((x, y) -> if(x > 0, x * log2(2 * x / (x + y)), 0) + if(y > 0, y * log2(2 * y / (x + y)), 0),
                arrayMap(x -> x / calls, seen), arrayMap(y -> y / then_calls, expected)) / 2
                - (arrayCount((x, y) -> x + y > 0, seen, expected) - 1) * noise / 8 / log(2)) AS divergence,
            1.96 * sqrt(2 * length(expected) * noise * noise / 64 + divergence * log(2) * noise / 2) / log(2) AS divergence_error,
            arrayMax(arrayMap((gap, b, after) -> if(b = after, 0., gap), gaps, bins_at, arrayShiftLeft(bins_at, 1, toInt16(32767)))) AS ks,
            1.358 * (sqrt(1 / numbers) + sqrt(1 / then_numbers)) AS band,
            arraySum((x, c) -> x * c, arrayMap(b -> tocsin_bin_v1_value(b), then_bins), then_counts) / then_numbers AS middle,
            sqrt(arraySum((b, c) -> pow(tocsin_bin_v1_value(b) - middle, 2) * c, then_bins, then_counts) / then_numbers) AS spread,
            numeric AND spread > 1e-9 * abs(middle) AS spread_is_known,
            arrayPopBack(gaps) AS inner_gaps,
            -- A table of two rows: now and then.
            calls + then_calls AS both,
            arrayCount((x, y) -> x + y > 0, seen, expected) AS filled,
            arraySum((x, y) -> if(x + y > 0, pow(x / calls - y / then_calls, 2) / (x + y), 0), seen, expected) * calls * then_calls / both AS phi2,
            1.96 * sqrt(2 * (filled - 1) + 4 * both * phi2) / both AS phi2_error,
            least(filled - pow(filled - 1, 2) / (both - 1), 2 - 1 / (both - 1)) - 1 AS most,
            (filled - 1) / (both - 1) AS bias,
            enough AND notEmpty(names) AS categorical
        FROM counted
    )
SELECT
    project, use_case, field, found.1 AS statistic, slot,
    found.2 AS value, found.3 AS lower, found.4 AS upper, if(value IS NULL, NULL, 0.) AS baseline, toUInt64(found.5) AS n
FROM measured
ARRAY JOIN [
    ('jensen_shannon', if(enough, sqrt(divergence), NULL), if(enough, sqrt(greatest(0., divergence - divergence_error)), NULL),
        if(enough, sqrt(least(1., divergence + divergence_error)), NULL), calls),
    ('ks', if(numeric, ks, NULL), if(numeric, greatest(0., ks - band), NULL), if(numeric, least(1., ks + band), NULL), numbers),
    ('wasserstein', if(spread_is_known, arraySum((g, w) -> g * w, inner_gaps, widths) / spread, NULL),
        if(spread_is_known, arraySum((g, w) -> greatest(0., g - band) * w, inner_gaps, widths) / spread, NULL),
        if(spread_is_known, arraySum((g, w) -> least(1., g + band) * w, inner_gaps, widths) / spread, NULL), numbers),
    ('cramers_v', if(categorical, if(filled > 1, sqrt(greatest(0., phi2 - bias) / most), 0.), NULL),
        if(categorical, if(filled > 1, sqrt(greatest(0., phi2 - phi2_error - bias) / most), 0.), NULL),
        if(categorical, if(filled > 1, sqrt(least(1., greatest(0., phi2 + phi2_error - bias) / most)), 0.), NULL), calls)
] AS found
WHERE found.5 > 0 AND (statistic = 'jensen_shannon' OR statistic = 'cramers_v' AND notEmpty(names) OR notEmpty(then_bins) AND statistic IN ('ks', 'wasserstein'))
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
