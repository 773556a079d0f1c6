-- What people did on pages or by the API: who, when, and how it is taken back.
CREATE TABLE action (
    id INTEGER PRIMARY KEY,
    project_id BIGINT NOT NULL REFERENCES project (id),
    at BIGINT NOT NULL,
    -- An address, the name of a token, or where there is no sign-in the machine.
    who TEXT NOT NULL,
    issue_id BIGINT REFERENCES issue (id),
    -- In a word, as mute or add_rule.
    kind TEXT NOT NULL,
    -- In words.
    what TEXT NOT NULL,
    -- How it is taken back, as JSON; NULL when it cannot be.
    undo TEXT,
    undone_at BIGINT,
    undone_by TEXT
);
CREATE INDEX action_issue ON action (issue_id);
CREATE INDEX action_time ON action (at);
