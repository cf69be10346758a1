-- Users with the rights that each part needs and no more. Run once by an administrator, after the tables are there
-- (the first start of any part makes them, as a user who may); on a cluster add ON CLUSTER main to every statement.
-- Passwords are hashes: printf %s "$PASSWORD" | sha256sum

CREATE ROLE IF NOT EXISTS tocsin_reader;
GRANT SELECT ON tocsin.* TO tocsin_reader;
GRANT SELECT ON system.tables TO tocsin_reader;
GRANT SELECT ON system.columns TO tocsin_reader;
GRANT SELECT ON system.databases TO tocsin_reader;
GRANT SELECT ON system.functions TO tocsin_reader;

-- Everybody who starts migrates: tables and views, never users or other databases.
CREATE ROLE IF NOT EXISTS tocsin_migrator;
GRANT CREATE DATABASE, CREATE TABLE, CREATE VIEW, ALTER TABLE, ALTER VIEW, DROP TABLE, DROP VIEW, SELECT, INSERT, OPTIMIZE, SHOW
    ON tocsin.* TO tocsin_migrator;
GRANT CREATE DATABASE, CREATE TABLE, CREATE VIEW, ALTER TABLE, ALTER VIEW, DROP TABLE, DROP VIEW, SELECT, INSERT, OPTIMIZE, SHOW
    ON tocsin_shard.* TO tocsin_migrator;
GRANT CREATE FUNCTION ON *.* TO tocsin_migrator;
GRANT CLUSTER, REMOTE ON *.* TO tocsin_migrator;
GRANT SELECT ON system.* TO tocsin_migrator;

CREATE ROLE IF NOT EXISTS tocsin_collector;
GRANT tocsin_migrator TO tocsin_collector;
CREATE ROLE IF NOT EXISTS tocsin_evaluator;
GRANT tocsin_migrator TO tocsin_evaluator;
-- On a cluster one that takes over waits for what the other wrote.
GRANT SYSTEM SYNC REPLICA ON tocsin.* TO tocsin_evaluator;

-- Who backs up, restores and gives new nodes their tables: a person, or cron. May drop what is stored.
CREATE ROLE IF NOT EXISTS tocsin_operator;
GRANT tocsin_migrator TO tocsin_operator;
GRANT DROP DATABASE ON tocsin.* TO tocsin_operator;
GRANT DROP DATABASE ON tocsin_shard.* TO tocsin_operator;
GRANT BACKUP ON *.* TO tocsin_operator;
GRANT SYSTEM DROP REPLICA, SYSTEM SYNC REPLICA, S3 ON *.* TO tocsin_operator;

-- What people and dashboards read with: bounded, and read-only whatever they send.
CREATE SETTINGS PROFILE IF NOT EXISTS tocsin_reading
    SETTINGS readonly = 2, max_execution_time = 30, max_memory_usage = 2000000000, max_result_rows = 100000;

CREATE USER IF NOT EXISTS tocsin_collector_user IDENTIFIED WITH sha256_hash BY '{collector_hash}';
GRANT tocsin_collector TO tocsin_collector_user;
CREATE USER IF NOT EXISTS tocsin_evaluator_user IDENTIFIED WITH sha256_hash BY '{evaluator_hash}';
GRANT tocsin_evaluator TO tocsin_evaluator_user;
CREATE USER IF NOT EXISTS tocsin_reader_user IDENTIFIED WITH sha256_hash BY '{reader_hash}' SETTINGS PROFILE 'tocsin_reading';
GRANT tocsin_reader TO tocsin_reader_user;
