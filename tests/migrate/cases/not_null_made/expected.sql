-- lab.Sample: field 4 (size) is plain now; where it was absent it is 0.
-- SQLite cannot alter this in place: the table sample is written anew.
CREATE TABLE "varve_new_sample" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "a" TEXT NOT NULL DEFAULT '',
  "b" TEXT NOT NULL DEFAULT '',
  "size" INTEGER NOT NULL DEFAULT 0,
  "varve_unknown" BLOB
) STRICT;
INSERT INTO "varve_new_sample" ("id", "a", "b", "size", "varve_unknown")
  SELECT "id", "a", "b", coalesce("size", 0), "varve_unknown"
  FROM "sample" ORDER BY "id";
SELECT varve_assert((SELECT count(*) FROM "varve_new_sample") = (SELECT count(*) FROM "sample"),
  'lab.Sample: not every record of the table sample was taken over; nothing is changed');
DELETE FROM sqlite_sequence WHERE name = 'varve_new_sample';
INSERT INTO sqlite_sequence (name, seq)
  SELECT 'varve_new_sample', seq FROM sqlite_sequence WHERE name = 'sample';
DROP TABLE "sample";
ALTER TABLE "varve_new_sample" RENAME TO "sample";
