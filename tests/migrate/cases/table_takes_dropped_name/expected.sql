-- lab.Left: the table left is dropped, with all its records.
DROP TABLE "left";

-- lab.Other: the message is renamed from lab.Right.
-- lab.Other: the table right is now left.
DROP INDEX "right.2";
DROP INDEX "varve_staged_right.record,field";
ALTER TABLE "right" RENAME TO "left";
ALTER TABLE "varve_staged_right" RENAME TO "varve_staged_left";

-- lab.Other: the index of its tensors.
CREATE UNIQUE INDEX "varve_staged_left.record,field" ON "varve_staged_left" ("record", "field");

-- lab.Other: indexes.
CREATE INDEX "left.2" ON "left" ("n");
