-- The outbox without its link to one alert: a mail may tell of many (see notice).
CREATE TABLE outbox_new (
    id INTEGER PRIMARY KEY,
    -- alert, summary, weekly, note or post.
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
    -- It was given up because nobody gets mail at that address.
    address_refused BIGINT NOT NULL DEFAULT 0
);
INSERT INTO outbox_new SELECT id, CASE WHEN alert_id IS NULL THEN 'note' ELSE 'alert' END,
    recipient, subject, message_id, message, created_at, attempts, next_attempt_at, sent_at,
    gave_up_at, last_error, CASE WHEN gave_up_at IS NULL THEN 0 ELSE 1 END FROM outbox;

-- One person or channel that hears of one alert; without a mail it is held back.
CREATE TABLE notice (
    id INTEGER PRIMARY KEY,
    alert_id BIGINT NOT NULL REFERENCES alert (id),
    -- As in outbox.
    recipient TEXT NOT NULL,
    -- Why it goes there, in words.
    why TEXT NOT NULL,
    -- It answers for the issue; the others only want to know.
    is_owner BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    outbox_id BIGINT REFERENCES outbox_new (id),
    UNIQUE (alert_id, recipient)
);
INSERT INTO notice (alert_id, recipient, why, is_owner, created_at, outbox_id)
    SELECT alert_id, recipient, '', MAX(CASE WHEN sent_at IS NULL THEN 1 ELSE 0 END),
    MIN(created_at), MIN(id) FROM outbox
    WHERE alert_id IS NOT NULL GROUP BY alert_id, recipient;
DROP TABLE outbox;
ALTER TABLE outbox_new RENAME TO outbox;
CREATE INDEX outbox_due ON outbox (sent_at, gave_up_at, next_attempt_at);
CREATE INDEX outbox_refused ON outbox (gave_up_at, recipient);
CREATE INDEX outbox_budget ON outbox (created_at, kind);
CREATE INDEX notice_held ON notice (recipient) WHERE outbox_id IS NULL;
CREATE INDEX notice_outbox ON notice (outbox_id);

-- When an alert tells "again": what was mended, when, by which commit, and where it is back; JSON.
ALTER TABLE alert ADD COLUMN again TEXT;

-- When the line was found to be gone in a revision that runs, or somebody said that it is mended.
ALTER TABLE issue ADD COLUMN mended_at BIGINT;
-- The commit that mended it; without one, every later occurrence means that it is not.
ALTER TABLE issue ADD COLUMN mended_by TEXT;
-- How that is known, in words.
ALTER TABLE issue ADD COLUMN mended_how TEXT;
-- The newest running_revision in which it was looked for.
ALTER TABLE issue ADD COLUMN checked_revision BIGINT NOT NULL DEFAULT 0;
-- Nobody is told of it before.
ALTER TABLE issue ADD COLUMN muted_until BIGINT;
CREATE INDEX issue_mended ON issue (mended_at);

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

-- What the server signs links with.
CREATE TABLE server_secret (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
