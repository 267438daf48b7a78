-- Plain SQL for SQLite and PostgreSQL alike: only TEXT, BIGINT and DOUBLE PRECISION (sqlx `Any` carries no more).
-- Times are milliseconds since the epoch, flags 0 or 1, JSON is TEXT.

-- Numbers handed out in order: S-n, I-n, A-n, the log's sequence, a conversation's changes.
CREATE TABLE counters (
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (scope, name)
);

CREATE TABLE settings (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    changed BIGINT NOT NULL,
    PRIMARY KEY (tenant, name)
);

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    priority BIGINT NOT NULL,
    due BIGINT NOT NULL,
    state TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    leased_until BIGINT NOT NULL,
    error TEXT,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL
);
CREATE INDEX jobs_ready ON jobs (state, priority, due);

CREATE TABLE entries (
    tenant TEXT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    evidence TEXT NOT NULL,
    prev TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (tenant, seq)
);
CREATE INDEX entries_subject ON entries (tenant, subject, seq);

CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    platform TEXT NOT NULL,
    tenant TEXT NOT NULL,
    reference TEXT NOT NULL,
    address TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    enabled_by TEXT,
    summary_at TEXT,
    summary_zone TEXT,
    changed BIGINT NOT NULL
);

CREATE TABLE messages (
    id TEXT PRIMARY KEY,
    conversation TEXT NOT NULL,
    place BIGINT NOT NULL,
    change BIGINT NOT NULL,
    direction TEXT NOT NULL,
    author_id TEXT NOT NULL,
    author_name TEXT NOT NULL,
    body TEXT NOT NULL,
    platform_id TEXT,
    subject TEXT,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    UNIQUE (conversation, change)
);
CREATE INDEX messages_subject ON messages (subject);

CREATE TABLE suggestions (
    tenant TEXT NOT NULL,
    number BIGINT NOT NULL,
    fingerprint TEXT NOT NULL,
    check_id TEXT NOT NULL,
    state TEXT NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    reason TEXT,
    until BIGINT,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    PRIMARY KEY (tenant, number),
    UNIQUE (tenant, fingerprint)
);

CREATE TABLE approvals (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    number BIGINT NOT NULL,
    suggestion BIGINT NOT NULL,
    conversation TEXT NOT NULL,
    terms TEXT NOT NULL,
    draft TEXT NOT NULL,
    state TEXT NOT NULL,
    state_name TEXT NOT NULL,
    due BIGINT,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    UNIQUE (tenant, number)
);
CREATE INDEX approvals_due ON approvals (due);

CREATE TABLE instructions (
    tenant TEXT NOT NULL,
    number BIGINT NOT NULL,
    check_id TEXT,
    object TEXT,
    until BIGINT,
    wording TEXT NOT NULL,
    by_id TEXT NOT NULL,
    by_name TEXT NOT NULL,
    created BIGINT NOT NULL,
    removed BIGINT,
    PRIMARY KEY (tenant, number)
);

CREATE TABLE evidence (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    state TEXT NOT NULL,
    progress TEXT NOT NULL,
    cancel BIGINT NOT NULL,
    snapshot TEXT,
    error TEXT,
    started BIGINT NOT NULL,
    finished BIGINT
);
CREATE INDEX runs_tenant ON runs (tenant, started);

CREATE TABLE snapshots (
    hash TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    read_at BIGINT NOT NULL,
    size BIGINT NOT NULL,
    counts TEXT NOT NULL
);
CREATE INDEX snapshots_tenant ON snapshots (tenant, read_at);

-- Parts of a compressed snapshot, base64, where there is no directory beside the database.
CREATE TABLE snapshot_parts (
    hash TEXT NOT NULL,
    part BIGINT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (hash, part)
);
