-- The ids of reports that were recorded, so that one that is sent again counts once. A row holds
-- those of one transaction: with a row for each, writing them would cost more than all else, for
-- ids are random and fall on pages all over the table.
CREATE TABLE recorded_ids (
    id INTEGER PRIMARY KEY,
    project_id BIGINT NOT NULL REFERENCES project (id),
    at BIGINT NOT NULL,
    -- Eight bytes each.
    hashes BLOB NOT NULL
);
