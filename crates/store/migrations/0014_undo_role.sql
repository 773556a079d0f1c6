-- What somebody has to be to take an action back: lists show that without reading how it is done.
ALTER TABLE action ADD COLUMN undo_role TEXT;
UPDATE action SET undo_role = CASE
    WHEN kind IN ('mute', 'unmute', 'resolve', 'reopen', 'reassign', 'blame_instead')
      OR undo LIKE '%"list":"known_errors"%' OR undo LIKE '%"list":"building_blocks"%'
      OR undo LIKE '%"list":"third_party_whitelist"%'
      OR undo LIKE '%"list":"ignored_exceptions"%'
    THEN 'developer' ELSE 'administrator' END
WHERE undo IS NOT NULL;
