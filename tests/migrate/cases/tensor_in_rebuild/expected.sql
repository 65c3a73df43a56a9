-- lab.Scan: field 1 is renamed from id to key.
ALTER TABLE "scan" RENAME COLUMN "id" TO "key";

-- lab.Scan: the max of field 2 (rows) is "9" now, and there was none.
-- SQLite cannot alter this in place: the table scan is written anew.
CREATE TABLE "varve_new_scan" (
  "key" INTEGER PRIMARY KEY AUTOINCREMENT,
  "rows" INTEGER NOT NULL DEFAULT 0 CHECK ("rows" <= 9),
  "varve_unknown" BLOB
) STRICT;
CREATE TABLE varve_counts AS SELECT (SELECT count(*) FROM "varve_staged_scan") AS "varve_staged_scan";
INSERT INTO "varve_new_scan" ("key", "rows", "varve_unknown")
  SELECT "key", "rows", "varve_unknown"
  FROM "scan" ORDER BY "key";
SELECT varve_assert((SELECT count(*) FROM "varve_new_scan") = (SELECT count(*) FROM "scan"),
  'lab.Scan: not every record of the table scan was taken over; nothing is changed');
DELETE FROM sqlite_sequence WHERE name = 'varve_new_scan';
INSERT INTO sqlite_sequence (name, seq)
  SELECT 'varve_new_scan', seq FROM sqlite_sequence WHERE name = 'scan';
DROP TABLE "scan";
ALTER TABLE "varve_new_scan" RENAME TO "scan";
SELECT varve_assert((SELECT count(*) FROM "varve_staged_scan") = (SELECT "varve_staged_scan" FROM varve_counts),
  'lab.Scan: records of the table varve_staged_scan went with the old table scan; nothing is changed');
DROP TABLE varve_counts;
