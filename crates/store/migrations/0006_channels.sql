-- Webhooks that alerts go to, beside the mails. A removed one keeps its number, so that no other
-- channel gets its posts, and loses its address and key.
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
    -- When the service said that there is no such webhook any more, and its words.
    broken_at BIGINT,
    broken_why TEXT
);
