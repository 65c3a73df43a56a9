-- lab.Sample: field 3 (b) has no index of its own any more.
-- lab.Sample: the unique index over b, size is dropped.
-- lab.Sample: field 2 (a) is no longer unique.
DROP INDEX "sample.2";
DROP INDEX "sample.3,4";

-- lab.Sample: the index over size, a is new.
-- lab.Sample: the index over a of some records is new.
-- lab.Sample: field 4 (size) has an index now.
-- lab.Sample: field 3 (b) is unique now.
CREATE UNIQUE INDEX "sample.3" ON "sample" ("b");
CREATE INDEX "sample.4,2" ON "sample" ("size", "a");
CREATE INDEX "sample.2.4939187a" ON "sample" ("a") WHERE "size" > 3;
