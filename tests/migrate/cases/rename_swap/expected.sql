-- lab.Sample: field 2 is renamed from a to b.
-- lab.Sample: field 3 is renamed from b to a.
ALTER TABLE "sample" RENAME COLUMN "a" TO "varve_tmp_2";
ALTER TABLE "sample" RENAME COLUMN "b" TO "a";
ALTER TABLE "sample" RENAME COLUMN "varve_tmp_2" TO "b";
