-- lab.Sample: field 2 (a) is sint64 now, and was int32.
-- lab.Sample: field 3 (b) is uint64 now, and was bool.
-- lab.Sample: field 4 (c) is optional double now, and was optional float.
-- lab.Sample: field 5 (d) is bytes now, and was string.
-- lab.Sample: field 6 (e) is int32 now, and was lab.Mood.
-- lab.Sample: field 7 (f) is int64 now, and was uint32.
-- lab.Sample: field 8 (g) is repeated int64 now, and was repeated int32.
-- lab.Sample: field 9 (h) is map int64 uint64 now, and was map int32 uint32.
-- lab.Sample: field 10 (i) is double now, and was bool.
-- lab.Sample: field 11 (j) is lab.Mood now, and was int32.
-- SQLite cannot alter this in place: the table sample is written anew.
CREATE TABLE "varve_new_sample" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "a" INTEGER NOT NULL DEFAULT 0,
  "b" INTEGER NOT NULL DEFAULT 0,
  "c" REAL,
  "d" BLOB NOT NULL DEFAULT x'',
  "e" INTEGER NOT NULL DEFAULT 0,
  "f" INTEGER NOT NULL DEFAULT 0,
  "g" TEXT NOT NULL DEFAULT '[]',
  "h" TEXT NOT NULL DEFAULT '{}',
  "i" REAL NOT NULL DEFAULT 0,
  "j" INTEGER NOT NULL DEFAULT 0,
  "varve_unknown" BLOB
) STRICT;
INSERT INTO "varve_new_sample" ("id", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "varve_unknown")
  SELECT "id", "a", "b", "c", CAST("d" AS BLOB), "e", "f", "g", "h", CAST("i" AS REAL), "j", "varve_unknown"
  FROM "sample" ORDER BY "id";
SELECT varve_assert((SELECT count(*) FROM "varve_new_sample") = (SELECT count(*) FROM "sample"),
  'lab.Sample: not every record of the table sample was taken over; nothing is changed');
DELETE FROM sqlite_sequence WHERE name = 'varve_new_sample';
INSERT INTO sqlite_sequence (name, seq)
  SELECT 'varve_new_sample', seq FROM sqlite_sequence WHERE name = 'sample';
DROP TABLE "sample";
ALTER TABLE "varve_new_sample" RENAME TO "sample";

-- lab.Sample: indexes.
CREATE UNIQUE INDEX "sample.5" ON "sample" ("d");
