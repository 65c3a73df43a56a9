-- lab.Sample: field 4 (marks) has no JSON copy now.
ALTER TABLE "sample" DROP COLUMN "marks_json";

-- lab.Sample: field 2 is renamed from place to where.
ALTER TABLE "sample" RENAME COLUMN "place" TO "where";
ALTER TABLE "sample" RENAME COLUMN "place_json" TO "where_json";
