-- How often each rule mattered, by day (UTC). Rules about code count reports, those about people
-- alerts. The ids are never used again, so what is counted stays when a rule is put back.
CREATE TABLE rule_hit (
    rule_id BIGINT NOT NULL,
    day BIGINT NOT NULL,
    reports BIGINT NOT NULL,
    occurrences BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (rule_id, day)
);
-- Of what came before, nothing was counted.
INSERT INTO setting (name, value)
    SELECT 'rule_hits_since', COALESCE(MAX(last_seen_at), 0) FROM issue;
