-- Tables of Sourdine's sink, version 1: each record once, and how far each partition was read. A sink that may make a
-- schema in the database makes them itself; otherwise an administrator runs this file once, and grants the sink
-- USAGE on the schema, SELECT and INSERT on its tables, and UPDATE on `place`.

CREATE SCHEMA sourdine;

CREATE TABLE sourdine.version (version integer PRIMARY KEY);
INSERT INTO sourdine.version VALUES (1);

CREATE TABLE sourdine.event (
    sensor_id bigint NOT NULL CHECK (sensor_id BETWEEN 0 AND 4294967295),
    time timestamptz NOT NULL,
    sound_class text NOT NULL CHECK (sound_class IN (
        'abnormal', 'glass_break', 'gunshot', 'explosion', 'fireworks', 'crash', 'tyre_screech', 'horn', 'siren',
        'alarm', 'scream', 'power_tool', 'impact', 'fire_crackle', 'spray_can', 'whistle')),
    level_db smallint CHECK (level_db % 3 = 0 AND (level_db BETWEEN -96 AND -6 OR level_db BETWEEN 30 AND 120)),
    scale text NOT NULL CHECK (scale IN ('dbfs', 'db')),
    confidence smallint NOT NULL CHECK (confidence BETWEEN 0 AND 3),
    CHECK (level_db IS NULL OR sound_class NOT IN ('horn', 'siren', 'alarm', 'scream')),
    CHECK ((level_db > 0) = (scale = 'db')),
    PRIMARY KEY (sensor_id, time, sound_class)
);
CREATE INDEX event_time ON sourdine.event (time);
COMMENT ON COLUMN sourdine.event.level_db IS 'A-weighted, loudest second, without the speech band; NULL: none';

CREATE TABLE sourdine.level (
    sensor_id bigint NOT NULL CHECK (sensor_id BETWEEN 0 AND 4294967295),
    time timestamptz NOT NULL,
    metric text NOT NULL CHECK (metric IN ('laeq', 'la10', 'la50', 'la90')),
    level_db smallint CHECK (level_db BETWEEN -127 AND 127),
    scale text NOT NULL CHECK (scale IN ('dbfs', 'db')),
    CHECK (level_db >= 0 OR scale = 'dbfs'),
    CHECK (level_db <= 0 OR scale = 'db'),
    PRIMARY KEY (sensor_id, time, metric)
);
CREATE INDEX level_time ON sourdine.level (time);
COMMENT ON COLUMN sourdine.level.level_db IS 'of the period that begins at `time`; NULL: less than 95 % was heard';

CREATE TABLE sourdine.health (
    sensor_id bigint NOT NULL CHECK (sensor_id BETWEEN 0 AND 4294967295),
    time timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('clock', 'gaps', 'clipped', 'silent', 'uncalibrated', 'budget', 'ok')),
    PRIMARY KEY (sensor_id, time)
);
CREATE INDEX health_time ON sourdine.health (time);

CREATE TABLE sourdine.place (
    sink text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (sink, topic, partition)
);
COMMENT ON TABLE sourdine.place IS 'where each sink goes on; written in the transaction that writes the records before it';
