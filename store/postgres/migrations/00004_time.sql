-- +goose Up

-- When an attribute was last known to hold, and when its owner says that it is
-- over (0: not said), in seconds since 1970.
ALTER TABLE attributes ADD COLUMN seen bigint NOT NULL DEFAULT 0;
ALTER TABLE attributes ADD COLUMN ends bigint NOT NULL DEFAULT 0;
UPDATE attributes SET seen = CASE WHEN last_seen > 0 THEN last_seen / 1000000 ELSE timestamp END;

CREATE INDEX attributes_seen ON attributes (type, seen);
CREATE INDEX attributes_ends ON attributes (ends) WHERE ends <> 0;

-- +goose Down
SELECT 1 / 0; -- a store cannot go back to before claims had a lifetime
