-- What people thought of an answer or a suggestion: the last word of each person on each message.
CREATE TABLE feedback (
    tenant TEXT NOT NULL,
    message TEXT NOT NULL,
    by_id TEXT NOT NULL,
    by_name TEXT NOT NULL,
    suggestion BIGINT,
    check_id TEXT,
    liked BIGINT NOT NULL,
    reason TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant, message, by_id)
);
