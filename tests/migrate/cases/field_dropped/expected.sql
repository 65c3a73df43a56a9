-- lab.Sample: the index over a, b is dropped.
DROP INDEX "sample.2,3";

-- lab.Sample: field 3 (b) is dropped, with its values.
DROP INDEX "sample.3";
ALTER TABLE "sample" DROP COLUMN "b";

-- lab.Sample: field 4 (other) is dropped, with its values.
DROP INDEX "sample.4";
ALTER TABLE "sample" DROP COLUMN "other";

-- lab.Sample: field 5 (plain) is dropped, with its values.
DROP INDEX "sample.5";
ALTER TABLE "sample" DROP COLUMN "plain";
