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
CREATE INDEX issue_merged ON issue (merged_into);
