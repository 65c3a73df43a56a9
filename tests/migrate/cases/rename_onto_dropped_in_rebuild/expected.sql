-- lab.Sample: field 2 is renamed from a to b.
ALTER TABLE "sample" RENAME COLUMN "b" TO "varve_tmp_3";
ALTER TABLE "sample" RENAME COLUMN "a" TO "b";

-- lab.Sample: field 3 (b) is dropped, with its values.
-- lab.Sample: field 4 (size) is optional now.
-- SQLite cannot alter this in place: the table sample is written anew.
CREATE TABLE "varve_new_sample" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "b" TEXT NOT NULL DEFAULT '',
  "size" INTEGER,
  "varve_unknown" BLOB
) STRICT;
INSERT INTO "varve_new_sample" ("id", "b", "size", "varve_unknown")
  SELECT "id", "b", "size", "varve_unknown"
  FROM "sample" ORDER BY "id";
SELECT varve_assert((SELECT count(*) FROM "varve_new_sample") = (SELECT count(*) FROM "sample"),
  'lab.Sample: not every record of the table sample was taken over; nothing is changed');
DELETE FROM sqlite_sequence WHERE name = 'varve_new_sample';
INSERT INTO sqlite_sequence (name, seq)
  SELECT 'varve_new_sample', seq FROM sqlite_sequence WHERE name = 'sample';
DROP TABLE "sample";
ALTER TABLE "varve_new_sample" RENAME TO "sample";
