-- Where a chat has an incident's message, so that it is changed in place and answered in its thread.
CREATE TABLE IF NOT EXISTS chat_threads ${on_cluster}
(
    `channel` LowCardinality(String),
    `incident` String,
    `room` String COMMENT 'as the chat names it',
    `ts` String COMMENT 'the message, as the chat names it',
    `at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(at)
ORDER BY (channel, incident)
COMMENT 'Messages of chats by incident. Kept for ever';
