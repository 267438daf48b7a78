-- The version of an approval in which what it decides last changed: a wish changes the card, and not that.
ALTER TABLE approvals ADD COLUMN decided BIGINT NOT NULL DEFAULT 1;
UPDATE approvals SET decided = version;
