-- 0003_present: written by `varve migrate new`. Statements added at the end are kept and run too.
-- package: survey
-- reads_ok: no
-- writes_ok: no
-- lock - field survey.Scan 6 note optional string
-- lock - field survey.Site 3 level optional int64
-- lock + field survey.Scan 6 note string
-- lock + field survey.Site 3 level int64

-- survey.Site: field 3 (level) is plain now; where it was absent it is 0.
-- SQLite cannot alter this in place: the table site is written anew.
CREATE TABLE "varve_new_site" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "name" TEXT NOT NULL DEFAULT '',
  "level" INTEGER NOT NULL DEFAULT 0,
  "varve_unknown" BLOB
) STRICT;
CREATE TABLE varve_counts AS SELECT (SELECT count(*) FROM "scan") AS "scan";
INSERT INTO "varve_new_site" ("id", "name", "level", "varve_unknown")
  SELECT "id", "name", coalesce("level", 0), "varve_unknown"
  FROM "site" ORDER BY "id";
SELECT varve_assert((SELECT count(*) FROM "varve_new_site") = (SELECT count(*) FROM "site"),
  'survey.Site: not every record of the table site was taken over; nothing is changed');
DELETE FROM sqlite_sequence WHERE name = 'varve_new_site';
INSERT INTO sqlite_sequence (name, seq)
  SELECT 'varve_new_site', seq FROM sqlite_sequence WHERE name = 'site';
DROP TABLE "site";
ALTER TABLE "varve_new_site" RENAME TO "site";
SELECT varve_assert((SELECT count(*) FROM "scan") = (SELECT "scan" FROM varve_counts),
  'survey.Site: records of the table scan went with the old table site; nothing is changed');
DROP TABLE varve_counts;

-- survey.Site: indexes.
CREATE UNIQUE INDEX "site.2" ON "site" ("name");

-- survey.Scan: field 6 (note) is plain now; where it was absent it is ''.
-- SQLite cannot alter this in place: the table scan is written anew.
CREATE TABLE "varve_new_scan" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "site_id" INTEGER NOT NULL REFERENCES "site" ("id") ON DELETE CASCADE,
  "title" TEXT NOT NULL DEFAULT '',
  "spot" BLOB,
  "stops" BLOB NOT NULL DEFAULT x'',
  "note" TEXT NOT NULL DEFAULT '',
  "wave_size" INTEGER NOT NULL DEFAULT 0,
  "weight" INTEGER,
  "spot_json" TEXT,
  "stops_json" TEXT,
  "varve_unknown" BLOB
) STRICT;
CREATE TABLE varve_counts AS SELECT (SELECT count(*) FROM "varve_staged_scan") AS "varve_staged_scan", (SELECT count(*) FROM "mark") AS "mark";
INSERT INTO "varve_new_scan" ("id", "site_id", "title", "spot", "spot_json", "stops", "stops_json", "note", "wave_size", "weight", "varve_unknown")
  SELECT "id", "site_id", "title", "spot", "spot_json", "stops", "stops_json", coalesce("note", ''), "wave_size", "weight", "varve_unknown"
  FROM "scan" ORDER BY "id";
SELECT varve_assert((SELECT count(*) FROM "varve_new_scan") = (SELECT count(*) FROM "scan"),
  'survey.Scan: not every record of the table scan was taken over; nothing is changed');
DELETE FROM sqlite_sequence WHERE name = 'varve_new_scan';
INSERT INTO sqlite_sequence (name, seq)
  SELECT 'varve_new_scan', seq FROM sqlite_sequence WHERE name = 'scan';
DROP TABLE "scan";
ALTER TABLE "varve_new_scan" RENAME TO "scan";
SELECT varve_assert((SELECT count(*) FROM "varve_staged_scan") = (SELECT "varve_staged_scan" FROM varve_counts),
  'survey.Scan: records of the table varve_staged_scan went with the old table scan; nothing is changed');
SELECT varve_assert((SELECT count(*) FROM "mark") = (SELECT "mark" FROM varve_counts),
  'survey.Scan: records of the table mark went with the old table scan; nothing is changed');
DROP TABLE varve_counts;

-- survey.Scan: indexes.
CREATE UNIQUE INDEX "scan.3" ON "scan" ("title");
CREATE INDEX "scan.9" ON "scan" ("weight");
CREATE INDEX "scan.2" ON "scan" ("site_id");
