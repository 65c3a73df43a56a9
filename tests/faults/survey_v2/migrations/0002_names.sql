-- 0002_names: written by `varve migrate new`. Statements added at the end are kept and run too.
-- package: survey
-- reads_ok: no
-- writes_ok: no
-- lock - field survey.Scan 3 label string unique
-- lock - field survey.Spot 1 room string
-- lock + field survey.Scan 3 title string unique
-- lock + field survey.Scan 9 weight optional int64 index
-- lock + field survey.Spot 1 house string

-- survey.Scan: field 3 is renamed from label to title.
ALTER TABLE "scan" RENAME COLUMN "label" TO "title";

-- survey.Scan: field 9 (weight, optional int64) is new.
ALTER TABLE "scan" ADD COLUMN "weight" INTEGER;
UPDATE "scan" SET "weight" = varve_unknown_value("varve_unknown", 9, 'int64'),
  "varve_unknown" = varve_unknown_without("varve_unknown", 9)
  WHERE varve_unknown_has("varve_unknown", 9);

-- survey.Scan: indexes.
CREATE INDEX "scan.9" ON "scan" ("weight");

-- survey.Spot: field 1 is renamed from room to house.
SELECT varve_rebuild_json('survey.Scan', 4);
SELECT varve_rebuild_json('survey.Scan', 5);
