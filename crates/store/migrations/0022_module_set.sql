-- The modules of a program, under the id by which its reports name them. body is compressed JSON.
CREATE TABLE module_set (
    project_id BIGINT NOT NULL REFERENCES project (id),
    modules_id TEXT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (project_id, modules_id)
);
CREATE INDEX module_set_seen ON module_set (project_id, last_seen_at);
