-- What clients prove with that they may report to a project. A project may have several.
CREATE TABLE project_key (
    project_id BIGINT NOT NULL REFERENCES project (id),
    secret TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, secret)
);
-- Occurrences that clients say they had to drop before they could be reported, by day.
CREATE TABLE client_loss (
    project_id BIGINT NOT NULL REFERENCES project (id),
    day BIGINT NOT NULL,
    occurrences BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    example TEXT NOT NULL,
    PRIMARY KEY (project_id, day)
);
