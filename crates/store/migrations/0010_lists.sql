-- Lists are made in memory from what is known of every issue; the revision says which of them
-- changed since. Counting an occurrence is no such change.
ALTER TABLE issue ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;
INSERT INTO setting (name, value) VALUES ('issues_revision', 1);
UPDATE issue SET revision = 1;
CREATE INDEX issue_revision ON issue (revision);
CREATE TRIGGER issue_made AFTER INSERT ON issue BEGIN
    UPDATE setting SET value = value + 1 WHERE name = 'issues_revision';
    UPDATE issue SET revision = (SELECT value FROM setting WHERE name = 'issues_revision')
        WHERE id = NEW.id;
END;
CREATE TRIGGER issue_changed AFTER UPDATE OF path, function_name, text, exception_type,
    known_error_id, developer_name, developer_email, authored_at, commit_summary, details,
    first_seen_at, told_at, mended_at, muted_until, merged_into ON issue BEGIN
    UPDATE setting SET value = value + 1 WHERE name = 'issues_revision';
    UPDATE issue SET revision = (SELECT value FROM setting WHERE name = 'issues_revision')
        WHERE id = NEW.id;
END;
CREATE INDEX alert_again ON alert (issue_id) WHERE again IS NOT NULL;
