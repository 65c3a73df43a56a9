-- lab.Sample: field 2 is renamed from a to title.
-- lab.Sample: field 4 is renamed from size to weight.
ALTER TABLE "sample" RENAME COLUMN "a" TO "title";
ALTER TABLE "sample" RENAME COLUMN "size" TO "weight";
