-- lab.Sample: field 2 is renamed from a to c.
-- lab.Sample: field 3 is renamed from b to a.
-- lab.Sample: field 4 is renamed from c to b.
ALTER TABLE "sample" RENAME COLUMN "a" TO "varve_tmp_2";
ALTER TABLE "sample" RENAME COLUMN "b" TO "a";
ALTER TABLE "sample" RENAME COLUMN "c" TO "b";
ALTER TABLE "sample" RENAME COLUMN "varve_tmp_2" TO "c";
