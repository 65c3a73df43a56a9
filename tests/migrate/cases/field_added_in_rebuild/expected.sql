-- lab.Sample: field 11 (code, optional string) is new.
-- lab.Sample: field 12 (revision, int64) is new.
-- lab.Sample: field 4 (size) is plain now; where it was absent it is 0.
-- SQLite cannot alter this in place: the table sample is written anew.
CREATE TABLE "varve_new_sample" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "a" TEXT NOT NULL DEFAULT '',
  "b" TEXT NOT NULL DEFAULT '',
  "size" INTEGER NOT NULL DEFAULT 0,
  "code" TEXT,
  "revision" INTEGER NOT NULL DEFAULT 1,
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

-- lab.Sample: field 11 (code), where it was among the unknown fields.
UPDATE "sample" SET "code" = varve_unknown_value("varve_unknown", 11, 'string'),
  "varve_unknown" = varve_unknown_without("varve_unknown", 11)
  WHERE varve_unknown_has("varve_unknown", 11);

-- lab.Sample: field 12 (revision), where it was among the unknown fields.
UPDATE "sample" SET "revision" = varve_unknown_value("varve_unknown", 12, 'int64'),
  "varve_unknown" = varve_unknown_without("varve_unknown", 12)
  WHERE varve_unknown_has("varve_unknown", 12);

-- lab.Sample: indexes.
CREATE UNIQUE INDEX "sample.11" ON "sample" ("code");
