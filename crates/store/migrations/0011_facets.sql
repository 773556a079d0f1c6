-- How often an issue occurred by exception type, host, environment and revision: at most 50 values
-- of a kind, further ones together in the row with is_others 1. An empty value was not said.
CREATE TABLE issue_facet (
    issue_id BIGINT NOT NULL REFERENCES issue (id),
    -- exception, host, environment or revision.
    kind TEXT NOT NULL,
    is_others BIGINT NOT NULL,
    value TEXT NOT NULL,
    occurrences BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (issue_id, kind, is_others, value)
);
CREATE INDEX issue_facet_time ON issue_facet (last_at);
-- The same of reports that wait, as JSON.
ALTER TABLE pending_report ADD COLUMN facets TEXT NOT NULL DEFAULT '[]';
