-- A report that the mirror was too old for: due at once when a fetch has succeeded.
ALTER TABLE pending_report ADD COLUMN waits_for_fetch BIGINT NOT NULL DEFAULT 0;
-- A report that was counted while it was not known who is to blame, and is looked at again when
-- more is known: what it was counted under, as JSON. Its row's counts are what came since.
ALTER TABLE pending_report ADD COLUMN counted TEXT;
