-- Where a line was born, by the version of its file: a fact that never changes.
CREATE TABLE line_fact (
    project_id BIGINT NOT NULL REFERENCES project (id),
    commit_id TEXT NOT NULL,
    path TEXT NOT NULL,
    line BIGINT NOT NULL,
    options TEXT NOT NULL,
    origin_commit TEXT NOT NULL,
    origin_path TEXT NOT NULL,
    origin_line BIGINT NOT NULL,
    is_guessed BIGINT NOT NULL,
    PRIMARY KEY (project_id, commit_id, path, line, options)
);

-- How the line and its developer were found, and the other suspects, as JSON.
ALTER TABLE issue ADD COLUMN details TEXT NOT NULL DEFAULT '{}';
-- Two issues that turned out to be one line: this one lives on under that number.
ALTER TABLE issue ADD COLUMN merged_into BIGINT REFERENCES issue (id);
-- Other identities that an issue's line has had, or would have under other settings.
CREATE TABLE issue_alias (
    project_id BIGINT NOT NULL REFERENCES project (id),
    identity TEXT NOT NULL,
    issue_id BIGINT NOT NULL REFERENCES issue (id),
    PRIMARY KEY (project_id, identity)
);
CREATE INDEX issue_alias_issue ON issue_alias (issue_id);
-- Since when many issues go through a function: once much seen, always.
ALTER TABLE function_seen ADD COLUMN much_since BIGINT;
CREATE INDEX outbox_refused ON outbox (gave_up_at, recipient);
CREATE INDEX issue_merged ON issue (merged_into);
