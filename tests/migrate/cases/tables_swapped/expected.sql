-- lab.Right: the table right is now left.
-- lab.Left: the table left is now right.
DROP INDEX "right.2";
DROP INDEX "varve_staged_right.record,field";
DROP INDEX "left.2";
DROP INDEX "left.3";
ALTER TABLE "right" RENAME TO "varve_tmp_right";
ALTER TABLE "varve_staged_right" RENAME TO "varve_staged_varve_tmp_right";
ALTER TABLE "left" RENAME TO "right";
ALTER TABLE "varve_tmp_right" RENAME TO "left";
ALTER TABLE "varve_staged_varve_tmp_right" RENAME TO "varve_staged_left";

-- lab.Right: the index of its tensors.
CREATE UNIQUE INDEX "varve_staged_left.record,field" ON "varve_staged_left" ("record", "field");

-- lab.Right: indexes.
CREATE INDEX "left.2" ON "left" ("n");

-- lab.Left: indexes.
CREATE UNIQUE INDEX "right.2" ON "right" ("a");
CREATE INDEX "right.3" ON "right" ("other");
