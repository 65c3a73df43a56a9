-- lab.Sample: field 5 (mass, double) is new.
ALTER TABLE "sample" ADD COLUMN "mass" REAL NOT NULL DEFAULT 0 CHECK ("mass" <= 5.5);
UPDATE "sample" SET "mass" = varve_unknown_value("varve_unknown", 5, 'double'),
  "varve_unknown" = varve_unknown_without("varve_unknown", 5)
  WHERE varve_unknown_has("varve_unknown", 5);

-- lab.Sample: field 6 (note, optional string) is new.
ALTER TABLE "sample" ADD COLUMN "note" TEXT;
UPDATE "sample" SET "note" = varve_unknown_value("varve_unknown", 6, 'string'),
  "varve_unknown" = varve_unknown_without("varve_unknown", 6)
  WHERE varve_unknown_has("varve_unknown", 6);

-- lab.Sample: field 7 (counts, repeated int64) is new.
ALTER TABLE "sample" ADD COLUMN "counts" TEXT NOT NULL DEFAULT '[]';
UPDATE "sample" SET "counts" = varve_unknown_value("varve_unknown", 7, 'repeated int64'),
  "varve_unknown" = varve_unknown_without("varve_unknown", 7)
  WHERE varve_unknown_has("varve_unknown", 7);

-- lab.Sample: field 8 (by_name, map string int32) is new.
ALTER TABLE "sample" ADD COLUMN "by_name" TEXT NOT NULL DEFAULT '{}';
UPDATE "sample" SET "by_name" = varve_unknown_value("varve_unknown", 8, 'map string int32'),
  "varve_unknown" = varve_unknown_without("varve_unknown", 8)
  WHERE varve_unknown_has("varve_unknown", 8);

-- lab.Sample: field 9 (raw, bytes) is new.
ALTER TABLE "sample" ADD COLUMN "raw" BLOB NOT NULL DEFAULT x'';
UPDATE "sample" SET "raw" = varve_unknown_value("varve_unknown", 9, 'bytes'),
  "varve_unknown" = varve_unknown_without("varve_unknown", 9)
  WHERE varve_unknown_has("varve_unknown", 9);

-- lab.Sample: field 10 (other, optional int64) is new.
ALTER TABLE "sample" ADD COLUMN "other" INTEGER REFERENCES "sample" ("id");
UPDATE "sample" SET "other" = varve_unknown_value("varve_unknown", 10, 'int64'),
  "varve_unknown" = varve_unknown_without("varve_unknown", 10)
  WHERE varve_unknown_has("varve_unknown", 10);

-- lab.Sample: field 11 (code, optional string) is new.
ALTER TABLE "sample" ADD COLUMN "code" TEXT;
UPDATE "sample" SET "code" = varve_unknown_value("varve_unknown", 11, 'string'),
  "varve_unknown" = varve_unknown_without("varve_unknown", 11)
  WHERE varve_unknown_has("varve_unknown", 11);

-- lab.Sample: field 12 (revision, int64) is new.
ALTER TABLE "sample" ADD COLUMN "revision" INTEGER NOT NULL DEFAULT 1;
UPDATE "sample" SET "revision" = varve_unknown_value("varve_unknown", 12, 'int64'),
  "varve_unknown" = varve_unknown_without("varve_unknown", 12)
  WHERE varve_unknown_has("varve_unknown", 12);

-- lab.Sample: indexes.
CREATE UNIQUE INDEX "sample.11" ON "sample" ("code");
CREATE INDEX "sample.10" ON "sample" ("other");
