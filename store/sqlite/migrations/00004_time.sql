-- +goose Up

-- When an attribute was last known to hold, and when its owner says that it is
-- over (0: not said), in seconds since 1970.
ALTER TABLE attributes ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attributes ADD COLUMN ends INTEGER NOT NULL DEFAULT 0;
UPDATE attributes SET seen = CASE WHEN last_seen > 0 THEN last_seen / 1000000 ELSE timestamp END;

-- What falls due is looked for by type. Of one type new rows come in order of
-- time, so the index grows at its ends and costs an import little.
CREATE INDEX attributes_seen ON attributes (type, seen);
CREATE INDEX attributes_ends ON attributes (ends) WHERE ends <> 0;

-- +goose Down
SELECT raise(ABORT, 'a store cannot go back to before claims had a lifetime');
