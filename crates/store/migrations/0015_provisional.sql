-- A report that the mirror was too old for: due at once when a fetch has succeeded.
ALTER TABLE pending_report ADD COLUMN waits_for_fetch BIGINT NOT NULL DEFAULT 0;
-- A report that was counted while it was not known who is to blame, and is looked at again when
-- more is known: what it was counted under, as JSON. Its row's counts are what came since.
ALTER TABLE pending_report ADD COLUMN counted TEXT;
-- 1: the commit that mended it was found in the repository; 0: somebody said so.
ALTER TABLE issue ADD COLUMN mended_found BIGINT NOT NULL DEFAULT 0;
-- 1: only_blame_filepaths_matching keeps it out: it is listed, and nobody is told.
ALTER TABLE issue ADD COLUMN kept_out BIGINT NOT NULL DEFAULT 0;
-- 1: an alert was held back because nobody could be told; new ones come before it.
ALTER TABLE alert ADD COLUMN was_held BIGINT NOT NULL DEFAULT 0;
-- All types of exceptions that an issue was seen with, a line each, the first one first.
ALTER TABLE issue ADD COLUMN exception_types TEXT NOT NULL DEFAULT '';
UPDATE issue SET exception_types = exception_type;
DROP TRIGGER issue_changed;
CREATE TRIGGER issue_changed AFTER UPDATE OF path, function_name, text, exception_type,
    exception_types, known_error_id, developer_name, developer_email, authored_at, commit_summary,
    details, first_seen_at, told_at, mended_at, muted_until, merged_into ON issue BEGIN
    UPDATE setting SET value = value + 1 WHERE name = 'issues_revision';
    UPDATE issue SET revision = (SELECT value FROM setting WHERE name = 'issues_revision')
        WHERE id = NEW.id;
END;
-- When an alert may be told at the earliest: whoever gave it to somebody can take that back before.
ALTER TABLE alert ADD COLUMN not_before BIGINT NOT NULL DEFAULT 0;
-- When the service of a channel took a post last.
ALTER TABLE channel ADD COLUMN took_at BIGINT;
