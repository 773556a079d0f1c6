-- Mails that somebody does not want.
CREATE TABLE unwanted_mail (
    project_id BIGINT NOT NULL REFERENCES project (id),
    -- In lower case.
    address TEXT NOT NULL,
    -- alerts or weekly.
    kind TEXT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (project_id, address, kind)
);

-- Addresses of which somebody said that mails arrive again: what was given up before does not count.
CREATE TABLE retried_address (
    project_id BIGINT NOT NULL REFERENCES project (id),
    -- In lower case.
    address TEXT NOT NULL,
    retried_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, address)
);
