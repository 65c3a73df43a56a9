-- lab.Sample: field 3 (b) is dropped, with its values.
ALTER TABLE "sample" DROP COLUMN "b";

-- lab.Sample: field 2 is renamed from a to b.
ALTER TABLE "sample" RENAME COLUMN "a" TO "b";
