-- Which version of its subject a chat shows: known only once the chat has taken it.
ALTER TABLE messages ADD COLUMN shown BIGINT NOT NULL DEFAULT 0;
UPDATE messages SET shown = version WHERE platform_id IS NOT NULL;
