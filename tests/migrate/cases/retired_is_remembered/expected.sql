-- lab.Sample: field 4 (size) is dropped, with its values.
ALTER TABLE "sample" DROP COLUMN "size";

-- lab.Sample: field 5 (b, string) is new.
ALTER TABLE "sample" ADD COLUMN "b" TEXT NOT NULL DEFAULT '';
UPDATE "sample" SET "b" = varve_unknown_value("varve_unknown", 5, 'string'),
  "varve_unknown" = varve_unknown_without("varve_unknown", 5)
  WHERE varve_unknown_has("varve_unknown", 5);
