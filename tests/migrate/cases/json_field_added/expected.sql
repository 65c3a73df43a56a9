-- lab.Sample: field 5 (from, lab.Point) is new.
ALTER TABLE "sample" ADD COLUMN "from" BLOB;
ALTER TABLE "sample" ADD COLUMN "from_json" TEXT;
UPDATE "sample" SET "from" = varve_unknown_value("varve_unknown", 5, 'message'),
  "varve_unknown" = varve_unknown_without("varve_unknown", 5)
  WHERE varve_unknown_has("varve_unknown", 5);

-- lab.Sample: field 6 (n, optional int32) is new.
ALTER TABLE "sample" ADD COLUMN "n" INTEGER;
UPDATE "sample" SET "n" = varve_unknown_value("varve_unknown", 6, 'int32'),
  "varve_unknown" = varve_unknown_without("varve_unknown", 6)
  WHERE varve_unknown_has("varve_unknown", 6);

-- lab.Sample: JSON copies.
SELECT varve_rebuild_json('lab.Sample', 5);
