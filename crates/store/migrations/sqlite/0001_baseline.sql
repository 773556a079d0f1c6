-- Times are milliseconds since 1970 UTC, booleans are 0 and 1, addresses in a column of their own
-- are in lower case where the column says so.

CREATE TABLE project (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    -- Since when its reports are refused; NULL: it is in use.
    archived_at BIGINT,
    -- Grows with each change of something that cached verdicts rest on, such as its rules.
    rules_revision BIGINT NOT NULL DEFAULT 0,
    -- Grows with each change of one of its issues, except of their counts.
    issues_revision BIGINT NOT NULL DEFAULT 0
);

-- What a project sets itself, by the names of the configuration's options. The rest comes from the
-- configuration.
CREATE TABLE project_setting (
    project_id BIGINT NOT NULL REFERENCES project (id),
    option_name TEXT NOT NULL,
    value TEXT NOT NULL,
    set_at BIGINT NOT NULL,
    -- An address, or how it was set.
    set_by TEXT NOT NULL,
    PRIMARY KEY (project_id, option_name)
);

-- What clients prove with that they may report to a project. A project may have several.
CREATE TABLE project_key (
    id INTEGER PRIMARY KEY,
    project_id BIGINT NOT NULL REFERENCES project (id),
    secret TEXT NOT NULL UNIQUE,
    -- What people call it; may be empty.
    label TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Since when it is refused; NULL: it works.
    disabled_at BIGINT
);
CREATE INDEX project_key_project ON project_key (project_id);

-- Single numbers: revisions of what is cached, and dates of what happens once.
CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
-- The highest numbers that were given to a project and to a rule. They are never used twice.
INSERT INTO setting (name, value) VALUES ('last_project', 1), ('last_rule', 0);

-- Servers that share the database, and when each last said that it lives.
CREATE TABLE node (
    name TEXT PRIMARY KEY,
    seen_at BIGINT NOT NULL
);

-- What the server signs links with.
CREATE TABLE server_secret (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- The seven lists of rules. body is one entry as JSON, with the field names of 0.4.5.
CREATE TABLE rule (
    id INTEGER PRIMARY KEY,
    project_id BIGINT NOT NULL REFERENCES project (id),
    list TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- SHA-256 of body, which is too long for an index.
    body_hash TEXT NOT NULL,
    UNIQUE (project_id, list, body_hash)
);

-- How often each rule mattered, by day (UTC). Rules about code count reports, those about people
-- count alerts. An id is never used twice, so the counts of a rule survive its removal and are
-- there when it is put back.
CREATE TABLE rule_hit (
    rule_id BIGINT NOT NULL,
    day BIGINT NOT NULL,
    reports BIGINT NOT NULL,
    occurrences BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (rule_id, day)
);
INSERT INTO setting (name, value) VALUES ('rule_hits_since', 0);

-- One row for each line of code that failed. It is kept for ever: it remembers who was notified.
CREATE TABLE issue (
    -- A number is never used twice: links, mails and cached verdicts refer to issues by it.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id BIGINT NOT NULL REFERENCES project (id),
    -- The origin of the line; for a line that nobody is blamed for, its path, function and text.
    identity TEXT NOT NULL,
    path TEXT NOT NULL,
    line BIGINT NOT NULL,
    function_name TEXT NOT NULL,
    text TEXT NOT NULL,
    -- The type of the first report.
    exception_type TEXT NOT NULL,
    -- All types that were seen, a line each, the first one first.
    exception_types TEXT NOT NULL DEFAULT '',
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
    -- How the line and its developer were found, and the other suspects, as JSON.
    details TEXT NOT NULL DEFAULT '{}',
    -- 1: its author has left, as details say.
    author_gone BIGINT NOT NULL DEFAULT 0,
    -- 1: only_blame_filepaths_matching keeps it out. It is listed, and nobody is notified.
    kept_out BIGINT NOT NULL DEFAULT 0,
    occurrences BIGINT NOT NULL,
    -- Those of them in environments of which nobody is notified.
    only_listed BIGINT NOT NULL DEFAULT 0,
    samples BIGINT NOT NULL,
    first_seen_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    notified_at BIGINT,
    -- Nobody is notified before this time.
    muted_until BIGINT,
    -- When its line was found to be gone from a running revision, or somebody resolved it.
    resolved_at BIGINT,
    -- The commit that fixed it. Without one, every later occurrence is a regression.
    resolved_by TEXT,
    -- How that is known, as JSON.
    resolution TEXT,
    -- The newest running_revision that was searched for its line.
    checked_revision BIGINT NOT NULL DEFAULT 0,
    -- The issue that this one turned out to be; it goes on under that number. Deferred, because a
    -- copy of the database adds issues in the order of their numbers.
    merged_into BIGINT REFERENCES issue (id) DEFERRABLE INITIALLY DEFERRED,
    -- The project's issues_revision when something other than its counts changed last. Lists are
    -- kept in memory and read only what changed since.
    revision BIGINT NOT NULL DEFAULT 0,
    UNIQUE (project_id, identity)
);
CREATE INDEX issue_merged ON issue (merged_into);
CREATE INDEX issue_resolved ON issue (resolved_at);
CREATE INDEX issue_revision ON issue (project_id, revision);
-- The issues of each author.
CREATE INDEX issue_author ON issue (project_id, developer_email, merged_into, resolved_at,
    first_seen_at, authored_at, developer_name);
-- The authors who have left.
CREATE INDEX issue_gone ON issue (project_id, developer_email) WHERE author_gone = 1;
-- The few issues that nobody is blamed for.
CREATE INDEX issue_nobody ON issue (project_id, id) WHERE origin_commit IS NULL;

-- Other identities that the line of an issue has had, or would have under other settings.
CREATE TABLE issue_alias (
    project_id BIGINT NOT NULL REFERENCES project (id),
    identity TEXT NOT NULL,
    issue_id BIGINT NOT NULL REFERENCES issue (id),
    PRIMARY KEY (project_id, identity)
);
CREATE INDEX issue_alias_issue ON issue_alias (issue_id);

-- A place in running code whose origin is known, so that it is found without git. A cache.
CREATE TABLE place (
    project_id BIGINT NOT NULL REFERENCES project (id),
    place_key TEXT NOT NULL,
    issue_id BIGINT NOT NULL REFERENCES issue (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, place_key)
);
CREATE INDEX place_issue ON place (issue_id);

CREATE TABLE issue_hour (
    issue_id BIGINT NOT NULL REFERENCES issue (id),
    project_id BIGINT NOT NULL REFERENCES project (id),
    hour BIGINT NOT NULL,
    occurrences BIGINT NOT NULL,
    reports BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (issue_id, hour)
);
CREATE INDEX issue_hour_time ON issue_hour (project_id, hour);

-- Grows with each change of a project's counts in an hour. Lists keep hours in memory, and read one
-- again when its revision has changed.
CREATE TABLE hour_revision (
    project_id BIGINT NOT NULL REFERENCES project (id),
    hour BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (project_id, hour)
);

-- How often an issue occurred by exception type, host, environment and revision: at most 50 values
-- of each kind. Further values are counted together in the row with is_others 1. An empty value
-- stands for reports that named none.
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

-- Slot 0 is the first report of the issue; the newest ones take turns in the others.
CREATE TABLE sample (
    issue_id BIGINT NOT NULL REFERENCES issue (id),
    slot BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (issue_id, slot)
);
CREATE INDEX sample_time ON sample (received_at);

-- The modules of a program, under the id by which its reports name them. body is compressed JSON.
CREATE TABLE module_set (
    project_id BIGINT NOT NULL REFERENCES project (id),
    modules_id TEXT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (project_id, modules_id)
);
CREATE INDEX module_set_seen ON module_set (project_id, last_seen_at);

-- Reports that wait for attribution. Equal tracebacks share a row.
CREATE TABLE pending_report (
    project_id BIGINT NOT NULL REFERENCES project (id),
    fingerprint TEXT NOT NULL,
    occurrences BIGINT NOT NULL,
    only_listed BIGINT NOT NULL DEFAULT 0,
    reports BIGINT NOT NULL,
    error_threshold BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    last_error TEXT,
    -- 0: nothing. 1: a fetch of the mirror. 2: a source map. It is due as soon as that is there.
    waits_for BIGINT NOT NULL DEFAULT 0,
    -- What it was counted under while it was not known who is to blame, as JSON. It is attributed
    -- once more when more is known; the counts of this row are then what came since.
    counted TEXT,
    -- As issue_facet has them, as JSON.
    facets TEXT NOT NULL DEFAULT '[]',
    -- Who sent the first of the reports.
    source TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (project_id, fingerprint)
);
CREATE INDEX pending_report_due ON pending_report (project_id, next_attempt_at);
CREATE INDEX pending_report_source ON pending_report (project_id, source);

-- The ids of reports that were recorded, so that a report that is sent twice counts once. A row
-- holds those of one transaction: ids are random, and with a row for each of them every write would
-- touch pages all over the table. A hash is also one of the sender, whose key is of one project.
CREATE TABLE recorded_ids (
    id INTEGER PRIMARY KEY,
    at BIGINT NOT NULL,
    -- Eight bytes each.
    hashes BLOB NOT NULL
);

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

-- Occurrences that clients had to drop before they could be reported, by day.
CREATE TABLE client_loss (
    project_id BIGINT NOT NULL REFERENCES project (id),
    day BIGINT NOT NULL,
    occurrences BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    example TEXT NOT NULL,
    PRIMARY KEY (project_id, day)
);

-- What each sender caused on a day, and in the row with an empty source what all of them did. A
-- sender is a key of the project, else an address.
CREATE TABLE quota_use (
    project_id BIGINT NOT NULL REFERENCES project (id),
    -- Days since 1970, UTC.
    day BIGINT NOT NULL,
    source TEXT NOT NULL,
    issues BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (project_id, day, source)
);

-- How many issues went through a function when they were made; the row without a path and a
-- function counts all issues. Functions with few issues are deleted after a time.
CREATE TABLE function_seen (
    project_id BIGINT NOT NULL REFERENCES project (id),
    path TEXT NOT NULL,
    function_name TEXT NOT NULL,
    issues BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    -- Since when it is a hot function; it stays one.
    hot_since BIGINT,
    PRIMARY KEY (project_id, path, function_name)
);
CREATE INDEX function_seen_often ON function_seen (project_id, issues);

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

-- The releases of a project, and the commit that each was built from.
CREATE TABLE release (
    project_id BIGINT NOT NULL REFERENCES project (id),
    version TEXT NOT NULL,
    commit_id TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, version)
);

-- Files that builds uploaded for their releases: generated files and their source maps. Without a
-- release a file has an empty version, and is found by its debug id.
CREATE TABLE artifact (
    project_id BIGINT NOT NULL REFERENCES project (id),
    release_version TEXT NOT NULL,
    dist TEXT NOT NULL,
    url TEXT NOT NULL,
    debug_id TEXT NOT NULL,
    is_map BIGINT NOT NULL,
    map_url TEXT NOT NULL,
    hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, release_version, dist, url, debug_id)
);
CREATE INDEX artifact_debug_id ON artifact (project_id, debug_id);
CREATE INDEX artifact_hash ON artifact (project_id, hash);
CREATE INDEX artifact_created ON artifact (project_id, created_at);

-- The contents of these files, compressed.
CREATE TABLE artifact_body (
    project_id BIGINT NOT NULL REFERENCES project (id),
    hash TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    -- The last one: SQLite reads a row up to the columns that are wanted.
    body BLOB NOT NULL,
    PRIMARY KEY (project_id, hash)
);
CREATE INDEX artifact_body_used ON artifact_body (project_id, used_at);

-- Parts of uploads that have not arrived as a whole yet.
CREATE TABLE upload_chunk (
    uploader TEXT NOT NULL,
    checksum TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (uploader, checksum)
);
CREATE INDEX upload_chunk_created ON upload_chunk (created_at);

-- Revisions that run or ran: named by reports, or the tip when none names any.
CREATE TABLE running_revision (
    id INTEGER PRIMARY KEY,
    project_id BIGINT NOT NULL REFERENCES project (id),
    commit_id TEXT NOT NULL,
    is_named BIGINT NOT NULL,
    first_seen_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    UNIQUE (project_id, commit_id)
);

-- A decision to notify somebody of an issue.
CREATE TABLE alert (
    id INTEGER PRIMARY KEY,
    project_id BIGINT NOT NULL REFERENCES project (id),
    issue_id BIGINT NOT NULL REFERENCES issue (id),
    decided_at BIGINT NOT NULL,
    -- It is composed no earlier: whoever reassigned the issue can undo that until then.
    not_before BIGINT NOT NULL DEFAULT 0,
    occurrences BIGINT NOT NULL,
    reason TEXT NOT NULL,
    -- What regressed: what was resolved, when, by which commit, and where it failed again, as JSON.
    regression TEXT,
    composed_at BIGINT,
    -- Why nobody could be notified.
    note TEXT,
    -- 1: it waited because nobody could be notified. Newer alerts come before it.
    was_deferred BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX alert_issue ON alert (issue_id);
CREATE INDEX alert_project ON alert (project_id, issue_id);
CREATE INDEX alert_open ON alert (project_id) WHERE composed_at IS NULL;
CREATE INDEX alert_regression ON alert (project_id, issue_id) WHERE regression IS NOT NULL;

-- Mails and posts. One of them may be about many alerts: see notification.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    -- The project that it is about, or from whose pages it was asked for.
    project_id BIGINT NOT NULL REFERENCES project (id),
    -- alert, digest, weekly, note or post.
    kind TEXT NOT NULL,
    -- A mail address, or channel:NUMBER.
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    message_id TEXT NOT NULL UNIQUE,
    message BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    sent_at BIGINT,
    gave_up_at BIGINT,
    last_error TEXT,
    -- 1: it was given up because nobody gets mail at that address.
    address_refused BIGINT NOT NULL DEFAULT 0,
    -- The server that sends it, where several share the database.
    claimed_by TEXT
);
CREATE INDEX outbox_due ON outbox (sent_at, gave_up_at, next_attempt_at);
CREATE INDEX outbox_refused ON outbox (gave_up_at, recipient) WHERE address_refused = 1;
CREATE INDEX outbox_budget ON outbox (project_id, created_at, kind);
CREATE INDEX outbox_recipient ON outbox (LOWER(recipient), created_at);

-- One person or channel that hears of one alert. Without an outbox row it waits for a digest.
CREATE TABLE notification (
    id INTEGER PRIMARY KEY,
    project_id BIGINT NOT NULL REFERENCES project (id),
    alert_id BIGINT NOT NULL REFERENCES alert (id),
    -- As in outbox.
    recipient TEXT NOT NULL,
    -- Why it goes there, in words.
    why TEXT NOT NULL,
    -- 1: the recipient answers for the issue. The others only want to know.
    is_owner BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    outbox_id BIGINT REFERENCES outbox (id),
    UNIQUE (alert_id, recipient)
);
CREATE INDEX notification_pending ON notification (project_id, recipient) WHERE outbox_id IS NULL;
CREATE INDEX notification_outbox ON notification (outbox_id);
CREATE INDEX notification_project ON notification (project_id);

-- Webhooks that alerts are posted to. A removed one keeps its number, so that no other channel gets
-- its posts, and loses its address and key.
CREATE TABLE channel (
    id INTEGER PRIMARY KEY,
    project_id BIGINT NOT NULL REFERENCES project (id),
    -- slack, discord, teams, mattermost or json.
    kind TEXT NOT NULL,
    url TEXT NOT NULL,
    -- What posts are signed with; of json only.
    secret TEXT,
    -- Only alerts that this address answers for; NULL for all of the project.
    owner TEXT,
    created_at BIGINT NOT NULL,
    removed_at BIGINT,
    -- When the service said that the webhook does not exist any more, and its words.
    broken_at BIGINT,
    broken_why TEXT,
    -- When the service accepted a post last.
    accepted_at BIGINT
);
CREATE INDEX channel_project ON channel (project_id);

-- Mails that somebody unsubscribed from.
CREATE TABLE unwanted_mail (
    project_id BIGINT NOT NULL REFERENCES project (id),
    -- In lower case.
    address TEXT NOT NULL,
    -- alerts or weekly.
    kind TEXT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (project_id, address, kind)
);

-- Addresses that somebody said can be reached: mails given up before that time do not count.
CREATE TABLE retried_address (
    project_id BIGINT NOT NULL REFERENCES project (id),
    -- In lower case.
    address TEXT NOT NULL,
    retried_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, address)
);

-- What people did on pages or by the API: who, when, and how to undo it.
CREATE TABLE action (
    id INTEGER PRIMARY KEY,
    project_id BIGINT NOT NULL REFERENCES project (id),
    at BIGINT NOT NULL,
    -- An address, the name of a token, or without sign-in the machine.
    who TEXT NOT NULL,
    issue_id BIGINT REFERENCES issue (id),
    -- In a word, such as mute or add_rule.
    kind TEXT NOT NULL,
    -- In words.
    what TEXT NOT NULL,
    -- How to undo it, as JSON; NULL when that is impossible.
    undo TEXT,
    -- The role that may undo it, so that lists need not read how.
    undo_role TEXT,
    undone_at BIGINT,
    undone_by TEXT
);
CREATE INDEX action_issue ON action (issue_id);
CREATE INDEX action_time ON action (at);

-- Roles given on a page. `administrators` of the configuration come before.
CREATE TABLE person_role (
    -- In lower case.
    address TEXT NOT NULL,
    -- The project that it is for; 0: all that the address has no role of its own for.
    project_id BIGINT NOT NULL,
    -- reader, developer, administrator or blocked.
    role TEXT NOT NULL,
    set_at BIGINT NOT NULL,
    set_by TEXT NOT NULL,
    PRIMARY KEY (address, project_id)
);

CREATE TABLE session (
    id INTEGER PRIMARY KEY,
    -- SHA-256 of what the browser holds.
    hash TEXT NOT NULL UNIQUE,
    -- In lower case.
    address TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- How its owner signed in, in words.
    how TEXT NOT NULL,
    user_agent TEXT NOT NULL
);
CREATE INDEX session_address ON session (address);

-- Links that sign somebody in once. A used one is deleted.
CREATE TABLE sign_in_link (
    -- SHA-256 of what the link holds.
    hash TEXT PRIMARY KEY,
    -- mail, command or administrator.
    kind TEXT NOT NULL,
    -- In lower case; NULL: whoever opens it says their own, and becomes administrator.
    address TEXT,
    -- Where it leads.
    next TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- What programs call the API with.
CREATE TABLE api_token (
    id INTEGER PRIMARY KEY,
    -- SHA-256 of the token.
    hash TEXT NOT NULL UNIQUE,
    -- Its first letters, by which people recognize it.
    prefix TEXT NOT NULL,
    name TEXT NOT NULL,
    -- What it may do at most; it may never do more than its owner.
    role TEXT NOT NULL,
    -- The owner, in lower case.
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    last_used_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX api_token_owner ON api_token (created_by);
