-- A key is for sending, or for a person or program that looks and acts: then it has a role there and no project.
ALTER TABLE ingest_keys ${on_cluster} ADD COLUMN IF NOT EXISTS `role` LowCardinality(String) DEFAULT 'ingest' COMMENT 'ingest: sends; viewer, reviewer, operator, admin: of the console';
