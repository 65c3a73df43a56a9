-- 0001_initial: written by `varve migrate new`. Statements added at the end are kept and run too.
-- package: lab
-- reads_ok: no
-- writes_ok: no
-- lock + message lab.Sample table=sample
-- lock + field lab.Sample 1 id int64 key=1
-- lock + field lab.Sample 2 name string unique

CREATE TABLE "sample" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "name" TEXT NOT NULL DEFAULT '',
  "varve_unknown" BLOB
) STRICT;
CREATE UNIQUE INDEX "sample.2" ON "sample" ("name");
