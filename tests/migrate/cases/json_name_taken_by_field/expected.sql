-- lab.Sample: field 2 (place) has no JSON copy now.
ALTER TABLE "sample" DROP COLUMN "place_json";

-- lab.Sample: field 5 (place_json, optional string) is new.
ALTER TABLE "sample" ADD COLUMN "place_json" TEXT;
UPDATE "sample" SET "place_json" = varve_unknown_value("varve_unknown", 5, 'string'),
  "varve_unknown" = varve_unknown_without("varve_unknown", 5)
  WHERE varve_unknown_has("varve_unknown", 5);
