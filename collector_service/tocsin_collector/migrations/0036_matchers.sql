-- Silences of more than a use case and a rule.
ALTER TABLE silences ${on_cluster} ADD COLUMN IF NOT EXISTS `matchers` Array(String) COMMENT 'further conditions, as label=value, !=, =~ or !~';
