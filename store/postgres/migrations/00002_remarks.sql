-- +goose Up

-- What somebody adds to what is there: sightings, notes, references … Columns are
-- what it is found by; the record itself is JSON.
CREATE TABLE remarks (
    kind       bigint NOT NULL,
    id         bigint NOT NULL,
    uuid       uuid,
    event      bigint NOT NULL, -- 0: in none
    about_kind bigint NOT NULL, -- 0: it stands by itself, or what it is about is elsewhere
    about_id   bigint NOT NULL,
    to_kind    bigint NOT NULL, -- what else its reader has to see; 0: nothing
    to_id      bigint NOT NULL,
    orgc       bigint NOT NULL,
    key1       bigint NOT NULL, -- numbers that it is found by; 0: none
    key2       bigint NOT NULL,
    timestamp  bigint NOT NULL,
    deleted    bigint NOT NULL,
    label      bigint NOT NULL, -- its own; a reader needs those of what it is about
    seq        bigint NOT NULL,
    body       text COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE UNIQUE INDEX remarks_uuid ON remarks (uuid) WHERE uuid IS NOT NULL;
CREATE INDEX remarks_event ON remarks (event, kind, id) WHERE event <> 0;
CREATE INDEX remarks_about ON remarks (about_kind, about_id, kind, id) WHERE about_kind <> 0;
CREATE INDEX remarks_to ON remarks (to_kind, to_id) WHERE to_kind <> 0;
CREATE INDEX remarks_org ON remarks (kind, orgc, event);
CREATE INDEX remarks_key1 ON remarks (key1) WHERE key1 <> 0;
CREATE INDEX remarks_key2 ON remarks (key2) WHERE key2 <> 0;

-- A tombstone says what is still to be purged: the line that deleted it, 0 when
-- nothing is left. No store of the first version was ever kept in PostgreSQL.
DROP TABLE tombstones;
CREATE TABLE tombstones (
    kind  bigint NOT NULL,
    id    bigint NOT NULL,
    uuid  uuid,
    event bigint NOT NULL, -- in which it was; of an event, itself
    label bigint NOT NULL,
    seq   bigint NOT NULL,
    at    bigint NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE INDEX tombstones_uuid ON tombstones (uuid) WHERE uuid IS NOT NULL;
CREATE INDEX tombstones_seq ON tombstones (seq) WHERE seq <> 0;
DROP INDEX events_hidden;

-- All lines about a record, or about what is in an event.
CREATE INDEX log_records ON log (event, kind, id) WHERE kind <> 2;

-- +goose Down
SELECT 1 / 0; -- a store cannot go back to before remarks
