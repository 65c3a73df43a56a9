-- lab.Sample: field 3 (word, optional string) is new.
ALTER TABLE "sample" ADD COLUMN "word" TEXT;
UPDATE "sample" SET "word" = varve_unknown_value("varve_unknown", 3, 'string'),
  "varve_unknown" = varve_unknown_without("varve_unknown", 3)
  WHERE varve_unknown_has("varve_unknown", 3);

-- lab.Sample: field 4 (count, optional int64) is new.
ALTER TABLE "sample" ADD COLUMN "count" INTEGER;
UPDATE "sample" SET "count" = CASE WHEN "word" IS NULL THEN varve_unknown_value("varve_unknown", 4, 'int64') END,
  "varve_unknown" = varve_unknown_without("varve_unknown", 4)
  WHERE varve_unknown_has("varve_unknown", 4);
