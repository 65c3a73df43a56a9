-- 0001_first: written by `varve migrate new`. Statements added at the end are kept and run too.
-- package: survey
-- reads_ok: yes
-- writes_ok: yes
-- lock + message survey.Mark table=mark
-- lock + field survey.Mark 1 id int64 key=1
-- lock + field survey.Mark 2 scan_id int64 references=survey.Scan#1 on_delete=CASCADE
-- lock + field survey.Mark 3 place int64 index
-- lock + message survey.Scan table=scan
-- lock + field survey.Scan 1 id int64 key=1
-- lock + field survey.Scan 2 site_id int64 references=survey.Site#1 on_delete=CASCADE
-- lock + field survey.Scan 3 label string unique
-- lock + field survey.Scan 4 spot message survey.Spot json
-- lock + field survey.Scan 5 stops repeated message survey.Spot json
-- lock + field survey.Scan 6 note optional string
-- lock + field survey.Scan 7 wave_size uint32
-- lock + field survey.Scan 8 wave repeated float tensor=#7
-- lock + message survey.Site table=site
-- lock + field survey.Site 1 id int64 key=1
-- lock + field survey.Site 2 name string unique
-- lock + field survey.Site 3 level optional int64
-- lock + message survey.Spot
-- lock + field survey.Spot 1 room string
-- lock + field survey.Spot 2 shelf int32

-- survey.Site: the message is new.
CREATE TABLE "site" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "name" TEXT NOT NULL DEFAULT '',
  "level" INTEGER,
  "varve_unknown" BLOB
) STRICT;
CREATE UNIQUE INDEX "site.2" ON "site" ("name");

-- survey.Scan: the message is new.
CREATE TABLE "scan" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "site_id" INTEGER NOT NULL REFERENCES "site" ("id") ON DELETE CASCADE,
  "label" TEXT NOT NULL DEFAULT '',
  "spot" BLOB,
  "stops" BLOB NOT NULL DEFAULT x'',
  "note" TEXT,
  "wave_size" INTEGER NOT NULL DEFAULT 0,
  "spot_json" TEXT,
  "stops_json" TEXT,
  "varve_unknown" BLOB
) STRICT;
CREATE UNIQUE INDEX "scan.3" ON "scan" ("label");
CREATE INDEX "scan.2" ON "scan" ("site_id");
CREATE TABLE "varve_staged_scan" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "record" INTEGER NOT NULL REFERENCES "scan" ("id") ON DELETE CASCADE,
  "field" INTEGER NOT NULL,
  "dataset" INTEGER NOT NULL DEFAULT 0,
  "place" INTEGER NOT NULL DEFAULT 0,
  "hash" INTEGER,
  "dims" TEXT NOT NULL,
  "bytes" BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX "varve_staged_scan.record,field" ON "varve_staged_scan" ("record", "field");

-- survey.Mark: the message is new.
CREATE TABLE "mark" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "scan_id" INTEGER NOT NULL REFERENCES "scan" ("id") ON DELETE CASCADE,
  "place" INTEGER NOT NULL DEFAULT 0,
  "varve_unknown" BLOB
) STRICT;
CREATE INDEX "mark.3" ON "mark" ("place");
CREATE INDEX "mark.2" ON "mark" ("scan_id");
