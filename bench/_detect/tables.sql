-- What the simulator writes, row by row of fixed size; views turn numbers into names. No table of tocsin's is changed.
CREATE TABLE IF NOT EXISTS simulated_cells
(
    `stream` UInt16, `kind` UInt8, `field` UInt8, `second` UInt32, `bin` Int16, `word` UInt16, `n` Int64
)
ENGINE = Null;

CREATE TABLE IF NOT EXISTS simulated_hours (`stream` UInt16, `second` UInt32, `calls` Int64) ENGINE = Null;

CREATE TABLE IF NOT EXISTS simulated_outcomes
(
    `stream` UInt16, `call` UInt32, `second` UInt32, `observed` UInt32, `confidence` Float64, `weight` Float64, `kind` UInt8, `correct` UInt8
)
ENGINE = Null;

CREATE TABLE IF NOT EXISTS simulated_words (`what` String, `words` Array(String)) ENGINE = ReplacingMergeTree ORDER BY what;

CREATE MATERIALIZED VIEW IF NOT EXISTS simulated_cells_mv TO input_histogram_1h AS
WITH
    (SELECT any(words) FROM simulated_words WHERE what = 'kind') AS kinds,
    (SELECT any(words) FROM simulated_words WHERE what = 'field') AS fields,
    (SELECT any(words) FROM simulated_words WHERE what = 'vocabulary') AS vocabulary
SELECT
    'bench' AS project, concat('stream-', toString(stream)) AS use_case, kinds[simulated_cells.kind + 1] AS kind,
    fields[simulated_cells.field + 1] AS field, toStartOfHour(toDateTime(second, 'UTC')) AS hour, 'v1' AS model_version,
    bin, vocabulary[word + 1] AS category, n
FROM simulated_cells;

CREATE MATERIALIZED VIEW IF NOT EXISTS simulated_hours_mv TO ai_calls_1h AS
SELECT
    'bench' AS project, concat('stream-', toString(stream)) AS use_case, toStartOfHour(toDateTime(second, 'UTC')) AS hour,
    'v1' AS model_version, 'model' AS served_by, calls, calls AS unpriced, calls AS confident
FROM simulated_hours;

CREATE MATERIALIZED VIEW IF NOT EXISTS simulated_outcomes_mv TO outcomes AS
WITH ['ground_truth', 'review', 'judge'] AS kinds
SELECT
    'bench' AS project, concat('stream-', toString(stream)) AS use_case, concat(toString(stream), '-', toString(call)) AS call_id,
    toDateTime64(second, 9, 'UTC') AS started_at, 'v1' AS model_version, 'model' AS served_by,
    toNullable(simulated_outcomes.confidence) AS confidence, weight, kinds[simulated_outcomes.kind + 1] AS kind, 'simulator' AS source,
    concat(call_id, '-', kind) AS outcome_id, toDateTime64(observed, 9, 'UTC') AS observed_at,
    toNullable(simulated_outcomes.correct) AS correct, observed_at AS received_at, observed_at AS ingested_at
FROM simulated_outcomes;
