-- 0002_rename: written by `varve migrate new`. Statements added at the end are kept and run too.
-- package: lab
-- reads_ok: no
-- writes_ok: no
-- lock - field lab.Sample 2 name string unique
-- lock + field lab.Sample 2 title string unique

-- lab.Sample: field 2 is renamed from name to title.
ALTER TABLE "sample" RENAME COLUMN "name" TO "title";
