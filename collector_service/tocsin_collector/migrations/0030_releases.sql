-- Which versions the present may be compared with: the first of a use case, and those that a person has accepted since.
CREATE TABLE IF NOT EXISTS releases ${on_cluster}
(
    `project` LowCardinality(String),
    `use_case` LowCardinality(String),
    `model_version` LowCardinality(String),
    `prompt_version` LowCardinality(String),
    `accepted_at` DateTime64(3, 'UTC') COMMENT 'on the clock of the slots',
    `accepted_by` String COMMENT 'a person; tocsin for the first of a use case',
    `reason` String
)
ENGINE = ${Replicated}ReplacingMergeTree(accepted_at)
ORDER BY (project, use_case, model_version, prompt_version)
COMMENT 'Accepted model and prompt versions: only these get a reference of their own';

ALTER TABLE reference_windows ${on_cluster} ADD COLUMN IF NOT EXISTS `origin` LowCardinality(String) COMMENT 'empty: four whole weeks of calls; calls: fewer of them; rows: training or test rows';
