-- lab.Sample: field 2 is renamed from a to A.
ALTER TABLE "sample" RENAME COLUMN "a" TO "varve_tmp_2";
ALTER TABLE "sample" RENAME COLUMN "varve_tmp_2" TO "A";
