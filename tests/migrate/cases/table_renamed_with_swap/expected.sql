-- lab.Sample: the table sample is now specimen.
ALTER TABLE "sample" RENAME TO "specimen";

-- lab.Sample: field 2 is renamed from a to b.
-- lab.Sample: field 3 is renamed from b to a.
ALTER TABLE "specimen" RENAME COLUMN "a" TO "varve_tmp_2";
ALTER TABLE "specimen" RENAME COLUMN "b" TO "a";
ALTER TABLE "specimen" RENAME COLUMN "varve_tmp_2" TO "b";

-- lab.Sample: the index over a is new.
CREATE INDEX "specimen.3" ON "specimen" ("a");
