-- Times are UTC milliseconds. Truth values are 0 and 1.
CREATE TABLE project (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);

-- The seven lists of rules; body is one entry as JSON, in 0.4.5's field names.
CREATE TABLE rule (
    id INTEGER PRIMARY KEY,
    project_id BIGINT NOT NULL REFERENCES project (id),
    list TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (project_id, list, body)
);

-- One row for each line of code that failed. It is kept for ever: it remembers who was told.
CREATE TABLE issue (
    id INTEGER PRIMARY KEY,
    project_id BIGINT NOT NULL REFERENCES project (id),
    -- The origin of the line, or for a line nobody is blamed for its path, function and text.
    identity TEXT NOT NULL,
    path TEXT NOT NULL,
    line BIGINT NOT NULL,
    function_name TEXT NOT NULL,
    text TEXT NOT NULL,
    exception_type TEXT NOT NULL,
    known_error_id BIGINT,
    origin_commit TEXT,
    origin_path TEXT,
    origin_line BIGINT,
    developer_name TEXT,
    developer_email TEXT,
    authored_at BIGINT,
    commit_summary TEXT,
    -- How the line was found, or why nobody is blamed.
    reason TEXT NOT NULL,
    occurrences BIGINT NOT NULL,
    samples BIGINT NOT NULL,
    first_seen_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    told_at BIGINT,
    UNIQUE (project_id, identity)
);

-- A place in running code whose origin is known: found again without git. A cache.
CREATE TABLE place (
    project_id BIGINT NOT NULL REFERENCES project (id),
    place_key TEXT NOT NULL,
    issue_id BIGINT NOT NULL REFERENCES issue (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, place_key)
);

CREATE TABLE issue_hour (
    issue_id BIGINT NOT NULL REFERENCES issue (id),
    hour BIGINT NOT NULL,
    occurrences BIGINT NOT NULL,
    reports BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (issue_id, hour)
);

-- Slot 0 is the first report of the issue; the others take turns with the newest ones.
CREATE TABLE sample (
    issue_id BIGINT NOT NULL REFERENCES issue (id),
    slot BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (issue_id, slot)
);

-- Reports that wait for attribution. Equal tracebacks share a row.
CREATE TABLE pending_report (
    project_id BIGINT NOT NULL REFERENCES project (id),
    fingerprint TEXT NOT NULL,
    occurrences BIGINT NOT NULL,
    reports BIGINT NOT NULL,
    error_threshold BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    last_error TEXT,
    body BLOB NOT NULL,
    PRIMARY KEY (project_id, fingerprint)
);
CREATE INDEX pending_report_due ON pending_report (next_attempt_at);

-- A decision to tell. It is composed into mails later, in one transaction.
CREATE TABLE alert (
    id INTEGER PRIMARY KEY,
    issue_id BIGINT NOT NULL REFERENCES issue (id),
    decided_at BIGINT NOT NULL,
    occurrences BIGINT NOT NULL,
    reason TEXT NOT NULL,
    composed_at BIGINT,
    note TEXT
);
CREATE INDEX alert_issue ON alert (issue_id);
CREATE INDEX alert_open ON alert (composed_at);

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    alert_id BIGINT REFERENCES alert (id),
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    message_id TEXT NOT NULL UNIQUE,
    message BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    sent_at BIGINT,
    gave_up_at BIGINT,
    last_error TEXT
);
CREATE INDEX outbox_alert ON outbox (alert_id);
CREATE INDEX outbox_due ON outbox (sent_at, gave_up_at, next_attempt_at);

-- Reports that no issue counts, by day. reason comes from a closed set: rules, not report contents.
CREATE TABLE outcome (
    project_id BIGINT NOT NULL REFERENCES project (id),
    day BIGINT NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    reports BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    example TEXT NOT NULL,
    PRIMARY KEY (project_id, day, kind, reason)
);

CREATE INDEX issue_hour_time ON issue_hour (hour);
CREATE INDEX place_issue ON place (issue_id);
CREATE INDEX sample_time ON sample (received_at);
