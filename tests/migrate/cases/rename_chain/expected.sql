-- lab.Sample: field 2 is renamed from a to b.
-- lab.Sample: field 3 is renamed from b to c.
ALTER TABLE "sample" RENAME COLUMN "b" TO "c";
ALTER TABLE "sample" RENAME COLUMN "a" TO "b";
