BEGIN TRANSACTION;
CREATE TABLE counters (addressee TEXT PRIMARY KEY, counter INTEGER NOT NULL);
INSERT INTO "counters" VALUES('m-17',7);
CREATE TABLE cursor (journal TEXT PRIMARY KEY, seq INTEGER NOT NULL);
INSERT INTO "cursor" VALUES('0e490f63',20);
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, utc TEXT NOT NULL, topic TEXT NOT NULL, weight INTEGER NOT NULL,
    data TEXT NOT NULL
);
INSERT INTO "messages" VALUES(2,'2026-03-02T09:00:00.000Z','error',2,'{"text":"camera away, 水"}');
INSERT INTO "messages" VALUES(3,'2026-03-02T10:00:00.000Z','audience',1,'{"hour":9,"known":3}');
CREATE TABLE orders (
    addressee TEXT NOT NULL, counter INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (addressee, counter)
);
INSERT INTO "orders" VALUES('m-17',7,'{"kind":"price"}');
CREATE TABLE outbox (id TEXT NOT NULL, dropped INTEGER NOT NULL);
INSERT INTO "outbox" VALUES('36edd79e',0);
CREATE INDEX lightest ON messages (weight, seq);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('messages',3);
COMMIT;
PRAGMA user_version = 0;
