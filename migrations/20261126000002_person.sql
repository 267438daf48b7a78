-- Whom a personal conversation is with: Entra object id, to say something to them alone.
ALTER TABLE conversations ADD COLUMN person TEXT;
