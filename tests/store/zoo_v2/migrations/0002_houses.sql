-- 0002_houses: written by `varve migrate new`. Statements added at the end are kept and run too.
-- package: zoo
-- reads_ok: no
-- writes_ok: no
-- lock - field zoo.Animal 2 name string unique
-- lock - field zoo.Place 1 room string
-- lock + field zoo.Animal 2 title string unique
-- lock + field zoo.Animal 6 tags repeated string
-- lock + field zoo.Animal 7 weight optional int64
-- lock + field zoo.Animal 8 marks map string int32
-- lock + field zoo.Animal 9 origin message zoo.Place
-- lock + field zoo.Place 1 house string

-- zoo.Animal: field 2 is renamed from name to title.
ALTER TABLE "animal" RENAME COLUMN "name" TO "title";

-- zoo.Animal: field 6 (tags, repeated string) is new.
ALTER TABLE "animal" ADD COLUMN "tags" TEXT NOT NULL DEFAULT '[]';
UPDATE "animal" SET "tags" = varve_unknown_value("varve_unknown", 6, 'repeated string'),
  "varve_unknown" = varve_unknown_without("varve_unknown", 6)
  WHERE varve_unknown_has("varve_unknown", 6);

-- zoo.Animal: field 7 (weight, optional int64) is new.
ALTER TABLE "animal" ADD COLUMN "weight" INTEGER;
UPDATE "animal" SET "weight" = varve_unknown_value("varve_unknown", 7, 'int64'),
  "varve_unknown" = varve_unknown_without("varve_unknown", 7)
  WHERE varve_unknown_has("varve_unknown", 7);

-- zoo.Animal: field 8 (marks, map string int32) is new.
ALTER TABLE "animal" ADD COLUMN "marks" TEXT NOT NULL DEFAULT '{}';
UPDATE "animal" SET "marks" = varve_unknown_value("varve_unknown", 8, 'map string int32'),
  "varve_unknown" = varve_unknown_without("varve_unknown", 8)
  WHERE varve_unknown_has("varve_unknown", 8);

-- zoo.Animal: field 9 (origin, zoo.Place) is new.
ALTER TABLE "animal" ADD COLUMN "origin" BLOB;
UPDATE "animal" SET "origin" = varve_unknown_value("varve_unknown", 9, 'message'),
  "varve_unknown" = varve_unknown_without("varve_unknown", 9)
  WHERE varve_unknown_has("varve_unknown", 9);

-- zoo.Place: field 1 is renamed from room to house.
SELECT varve_rebuild_json('zoo.Animal', 3);
SELECT varve_rebuild_json('zoo.Animal', 4);
