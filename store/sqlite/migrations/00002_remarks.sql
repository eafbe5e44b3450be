-- +goose Up

-- What somebody adds to what is there: sightings, notes, references … Columns are
-- what it is found by; the record itself is JSON.
CREATE TABLE remarks (
    kind       INTEGER NOT NULL,
    id         INTEGER NOT NULL,
    uuid       BLOB,
    event      INTEGER NOT NULL, -- 0: in none
    about_kind INTEGER NOT NULL, -- 0: it stands by itself, or what it is about is elsewhere
    about_id   INTEGER NOT NULL,
    to_kind    INTEGER NOT NULL, -- what else its reader has to see; 0: nothing
    to_id      INTEGER NOT NULL,
    orgc       INTEGER NOT NULL,
    key1       INTEGER NOT NULL, -- numbers that it is found by; 0: none
    key2       INTEGER NOT NULL,
    timestamp  INTEGER NOT NULL,
    deleted    INTEGER NOT NULL,
    label      INTEGER NOT NULL, -- its own; a reader needs those of what it is about
    seq        INTEGER NOT NULL,
    body       TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX remarks_id ON remarks (kind, id);
CREATE UNIQUE INDEX remarks_uuid ON remarks (uuid) WHERE uuid IS NOT NULL;
CREATE INDEX remarks_event ON remarks (event, kind, id) WHERE event <> 0;
CREATE INDEX remarks_about ON remarks (about_kind, about_id, kind, id) WHERE about_kind <> 0;
CREATE INDEX remarks_to ON remarks (to_kind, to_id) WHERE to_kind <> 0;
CREATE INDEX remarks_org ON remarks (kind, orgc, event);
CREATE INDEX remarks_key1 ON remarks (key1) WHERE key1 <> 0;
CREATE INDEX remarks_key2 ON remarks (key2) WHERE key2 <> 0;

-- A tombstone says what is still to be purged: the line that deleted it, 0 when
-- nothing is left. Of what was deleted before there was this column the images are
-- still in the log, so it is buried again.
ALTER TABLE tombstones RENAME TO graves;
CREATE TABLE tombstones (
    kind  INTEGER NOT NULL,
    id    INTEGER NOT NULL,
    uuid  BLOB,
    event INTEGER NOT NULL, -- in which it was; of an event, itself
    label INTEGER NOT NULL,
    seq   INTEGER NOT NULL,
    at    INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tombstones_uuid ON tombstones (uuid) WHERE uuid IS NOT NULL;
CREATE INDEX tombstones_seq ON tombstones (seq) WHERE seq <> 0;

UPDATE log SET event = id WHERE kind = 1;
UPDATE log SET event = coalesce(before ->> '$.Event', after ->> '$.Event', 0) WHERE kind = 3;
INSERT INTO tombstones (kind, id, uuid, event, label, seq, at)
    SELECT l.kind, l.id, g.uuid, l.event, coalesce(l.before ->> '$.label', l.before ->> '$.Label', 0), l.seq, g.at
    FROM log l JOIN graves g ON g.uuid = unhex(replace(coalesce(l.before ->> '$.uuid', l.before ->> '$.UUID'), '-', '')) AND g.kind = l.kind
    WHERE l.kind <= 3 AND l.last = 0 AND l.before IS NOT NULL AND l.after IS NULL;
DROP TABLE graves;
DROP INDEX events_hidden;

-- All lines about a record, or about what is in an event.
CREATE INDEX log_records ON log (event, kind, id) WHERE kind <> 2;

-- +goose Down
SELECT raise(ABORT, 'a store cannot go back to before remarks');
