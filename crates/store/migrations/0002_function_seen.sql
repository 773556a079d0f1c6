-- How many issues went through a function when they were made; the row without a path and a
-- function counts all of them. Functions with few issues are forgotten with time.
CREATE TABLE function_seen (
    project_id BIGINT NOT NULL REFERENCES project (id),
    path TEXT NOT NULL,
    function_name TEXT NOT NULL,
    issues BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, path, function_name)
);
CREATE INDEX function_seen_often ON function_seen (project_id, issues);
