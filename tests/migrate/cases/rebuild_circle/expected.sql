-- lab.Right: the table right is now left.
-- lab.Left: the table left is now r.
DROP INDEX "right.2";
DROP INDEX "left.2";
ALTER TABLE "left" RENAME TO "r";
ALTER TABLE "right" RENAME TO "left";

-- lab.Right: field 1 is renamed from id to key.
ALTER TABLE "left" RENAME COLUMN "id" TO "key";

-- lab.Left: field 1 is renamed from id to key.
ALTER TABLE "r" RENAME COLUMN "id" TO "key";

-- lab.Right: field 3 (n) is optional now.
-- SQLite cannot alter this in place: the table left is written anew.
CREATE TABLE "varve_new_left" (
  "key" INTEGER PRIMARY KEY AUTOINCREMENT,
  "left" INTEGER REFERENCES "r" ("key") ON DELETE CASCADE,
  "n" INTEGER,
  "varve_unknown" BLOB
) STRICT;
CREATE TABLE varve_counts AS SELECT (SELECT count(*) FROM "r") AS "r";
INSERT INTO "varve_new_left" ("key", "left", "n", "varve_unknown")
  SELECT "key", "left", "n", "varve_unknown"
  FROM "left" ORDER BY "key";
SELECT varve_assert((SELECT count(*) FROM "varve_new_left") = (SELECT count(*) FROM "left"),
  'lab.Right: not every record of the table left was taken over; nothing is changed');
DELETE FROM sqlite_sequence WHERE name = 'varve_new_left';
INSERT INTO sqlite_sequence (name, seq)
  SELECT 'varve_new_left', seq FROM sqlite_sequence WHERE name = 'left';
DROP TABLE "left";
ALTER TABLE "varve_new_left" RENAME TO "left";
SELECT varve_assert((SELECT count(*) FROM "r") = (SELECT "r" FROM varve_counts),
  'lab.Right: records of the table r went with the old table left; nothing is changed');
DROP TABLE varve_counts;

-- lab.Right: indexes.
CREATE INDEX "left.2" ON "left" ("left");

-- lab.Left: field 3 (n) is optional now.
-- SQLite cannot alter this in place: the table r is written anew.
CREATE TABLE "varve_new_r" (
  "key" INTEGER PRIMARY KEY AUTOINCREMENT,
  "right" INTEGER REFERENCES "left" ("key") ON DELETE CASCADE,
  "n" INTEGER,
  "varve_unknown" BLOB
) STRICT;
CREATE TABLE varve_counts AS SELECT (SELECT count(*) FROM "left") AS "left";
INSERT INTO "varve_new_r" ("key", "right", "n", "varve_unknown")
  SELECT "key", "right", "n", "varve_unknown"
  FROM "r" ORDER BY "key";
SELECT varve_assert((SELECT count(*) FROM "varve_new_r") = (SELECT count(*) FROM "r"),
  'lab.Left: not every record of the table r was taken over; nothing is changed');
DELETE FROM sqlite_sequence WHERE name = 'varve_new_r';
INSERT INTO sqlite_sequence (name, seq)
  SELECT 'varve_new_r', seq FROM sqlite_sequence WHERE name = 'r';
DROP TABLE "r";
ALTER TABLE "varve_new_r" RENAME TO "r";
SELECT varve_assert((SELECT count(*) FROM "left") = (SELECT "left" FROM varve_counts),
  'lab.Left: records of the table left went with the old table r; nothing is changed');
DROP TABLE varve_counts;

-- lab.Left: indexes.
CREATE INDEX "r.2" ON "r" ("right");
