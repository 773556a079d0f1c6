-- People: the issues of each author, who of them is gone, the mails to somebody.
CREATE INDEX issue_author ON issue
    (project_id, developer_email, merged_into, mended_at, first_seen_at, authored_at, developer_name);
CREATE INDEX issue_gone ON issue (developer_email) WHERE details LIKE '%"gone":"%';
CREATE INDEX outbox_recipient ON outbox (LOWER(recipient), created_at);
-- Health: the few issues that nobody is blamed for.
CREATE INDEX issue_nobody ON issue (project_id, id) WHERE origin_commit IS NULL;
