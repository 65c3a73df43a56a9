-- lab.Wrong: the message is renamed from lab.Right.
-- lab.Wrong: the table right is now wrong.
DROP INDEX "right.2";
DROP INDEX "varve_staged_right.record,field";
ALTER TABLE "right" RENAME TO "wrong";
ALTER TABLE "varve_staged_right" RENAME TO "varve_staged_wrong";

-- lab.Wrong: the index of its tensors.
CREATE UNIQUE INDEX "varve_staged_wrong.record,field" ON "varve_staged_wrong" ("record", "field");

-- lab.Wrong: indexes.
CREATE INDEX "wrong.2" ON "wrong" ("n");
