-- lab.Sample: field 5 (d, optional bytes) is new.
ALTER TABLE "sample" ADD COLUMN "d" BLOB;
UPDATE "sample" SET "d" = CASE WHEN "a" IS NULL AND "b" IS NULL THEN varve_unknown_value("varve_unknown", 5, 'bytes') END,
  "varve_unknown" = varve_unknown_without("varve_unknown", 5)
  WHERE varve_unknown_has("varve_unknown", 5);

-- lab.Sample: the oneof what is renamed to which.
