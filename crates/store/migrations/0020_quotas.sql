-- What each sender, and for the empty text all of them together, brought new on a day. A sender is
-- a key of the project, else an address.
CREATE TABLE quota_use (
    project_id BIGINT NOT NULL REFERENCES project (id),
    -- Days since 1970, UTC.
    day BIGINT NOT NULL,
    source TEXT NOT NULL,
    issues BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (project_id, day, source)
);
-- Who sent the first of the reports that wait together; empty when an earlier version wrote it.
ALTER TABLE pending_report ADD COLUMN source TEXT NOT NULL DEFAULT '';
CREATE INDEX pending_report_source ON pending_report (project_id, source);
