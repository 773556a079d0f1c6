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
