-- lab.Right: the message is new.
CREATE TABLE "right" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "n" INTEGER NOT NULL DEFAULT 0,
  "varve_unknown" BLOB
) STRICT;
CREATE INDEX "right.2" ON "right" ("n");
CREATE TABLE "varve_staged_right" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "record" INTEGER NOT NULL REFERENCES "right" ("id") ON DELETE CASCADE,
  "field" INTEGER NOT NULL,
  "dataset" INTEGER NOT NULL DEFAULT 0,
  "place" INTEGER NOT NULL DEFAULT 0,
  "hash" INTEGER,
  "dims" TEXT NOT NULL,
  "bytes" BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX "varve_staged_right.record,field" ON "varve_staged_right" ("record", "field");

-- lab.Left: the message is new.
CREATE TABLE "left" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "a" TEXT NOT NULL DEFAULT '',
  "other" INTEGER REFERENCES "right" ("id"),
  "varve_unknown" BLOB
) STRICT;
CREATE UNIQUE INDEX "left.2" ON "left" ("a");
CREATE INDEX "left.3" ON "left" ("other");
