-- Since when a conversation wants its summary at that time: one that was due before isn't made up for.
ALTER TABLE conversations ADD COLUMN summary_since BIGINT;
