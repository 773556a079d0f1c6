-- Roles given on a page. `administrators` of the configuration come before.
CREATE TABLE person_role (
    -- In lower case.
    address TEXT PRIMARY KEY,
    -- reader, developer, administrator or blocked.
    role TEXT NOT NULL,
    set_at BIGINT NOT NULL,
    set_by TEXT NOT NULL
);

-- Sign-ins that last.
CREATE TABLE session (
    id INTEGER PRIMARY KEY,
    -- SHA-256 of what the browser holds.
    hash TEXT NOT NULL UNIQUE,
    -- In lower case.
    address TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- By what somebody signed in, in words.
    how TEXT NOT NULL,
    user_agent TEXT NOT NULL
);
CREATE INDEX session_address ON session (address);

-- Links that sign in once; a used one is gone.
CREATE TABLE sign_in_link (
    -- SHA-256 of what the link holds.
    hash TEXT PRIMARY KEY,
    -- mail, command or administrator.
    kind TEXT NOT NULL,
    -- In lower case; NULL: of the one who opens it, who becomes administrator.
    address TEXT,
    -- Where it leads.
    next TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- What programs call the API with.
CREATE TABLE api_token (
    id INTEGER PRIMARY KEY,
    -- SHA-256 of the token.
    hash TEXT NOT NULL UNIQUE,
    -- Its first letters, to know it by.
    prefix TEXT NOT NULL,
    name TEXT NOT NULL,
    -- At most this, and at most what its owner may.
    role TEXT NOT NULL,
    -- The owner, in lower case.
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    last_used_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX api_token_owner ON api_token (created_by);
