-- lab.Scan: field 6 (columns, uint32) is new.
ALTER TABLE "scan" ADD COLUMN "columns" INTEGER NOT NULL DEFAULT 0;
UPDATE "scan" SET "columns" = varve_unknown_value("varve_unknown", 6, 'uint32')
  WHERE varve_unknown_has("varve_unknown", 6);

-- lab.Scan: the catalog of its tensors.
CREATE TABLE "varve_staged_scan" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "record" INTEGER NOT NULL REFERENCES "scan" ("id") ON DELETE CASCADE,
  "field" INTEGER NOT NULL,
  "dataset" INTEGER NOT NULL DEFAULT 0,
  "place" INTEGER NOT NULL DEFAULT 0,
  "hash" INTEGER,
  "dims" TEXT NOT NULL,
  "bytes" BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX "varve_staged_scan.record,field" ON "varve_staged_scan" ("record", "field");

-- lab.Scan: dims stay among the unknown fields where the elements there do not fit.
UPDATE "scan" SET "columns" = 0
  WHERE (varve_unknown_has("varve_unknown", 6))
  AND coalesce(length(varve_unknown_value("varve_unknown", 3, 'tensor float')), 0) <> "columns" * "rows" * 4;
UPDATE "scan" SET "columns" = 0
  WHERE (varve_unknown_has("varve_unknown", 6))
  AND coalesce(length(varve_unknown_value("varve_unknown", 5, 'tensor int32')), 0) <> "columns" * 4;

-- lab.Scan: field 3 (data, repeated float) is new.
INSERT INTO "varve_staged_scan" ("record", "field", "dims", "bytes")
  SELECT "id", 3, "columns" || ',' || "rows", varve_unknown_value("varve_unknown", 3, 'tensor float')
  FROM "scan" WHERE varve_unknown_has("varve_unknown", 3)
  AND length(varve_unknown_value("varve_unknown", 3, 'tensor float')) = "columns" * "rows" * 4 AND "columns" * "rows" * 4 > 0 ORDER BY "id";
UPDATE "scan" SET "varve_unknown" = varve_unknown_without("varve_unknown", 3)
  WHERE varve_unknown_has("varve_unknown", 3) AND "id" IN (SELECT "record" FROM "varve_staged_scan" WHERE "field" = 3);

-- lab.Scan: field 4 (mask, bytes) is new.
INSERT INTO "varve_staged_scan" ("record", "field", "dims", "bytes")
  SELECT "id", 4, CAST("rows" AS TEXT), varve_unknown_value("varve_unknown", 4, 'bytes')
  FROM "scan" WHERE varve_unknown_has("varve_unknown", 4)
  AND length(varve_unknown_value("varve_unknown", 4, 'bytes')) = "rows" * 1 AND "rows" * 1 > 0 ORDER BY "id";
UPDATE "scan" SET "varve_unknown" = varve_unknown_without("varve_unknown", 4)
  WHERE varve_unknown_has("varve_unknown", 4) AND "id" IN (SELECT "record" FROM "varve_staged_scan" WHERE "field" = 4);

-- lab.Scan: field 5 (counts, repeated int32) is new.
INSERT INTO "varve_staged_scan" ("record", "field", "dims", "bytes")
  SELECT "id", 5, CAST("columns" AS TEXT), varve_unknown_value("varve_unknown", 5, 'tensor int32')
  FROM "scan" WHERE varve_unknown_has("varve_unknown", 5)
  AND length(varve_unknown_value("varve_unknown", 5, 'tensor int32')) = "columns" * 4 AND "columns" * 4 > 0 ORDER BY "id";
UPDATE "scan" SET "varve_unknown" = varve_unknown_without("varve_unknown", 5)
  WHERE varve_unknown_has("varve_unknown", 5) AND "id" IN (SELECT "record" FROM "varve_staged_scan" WHERE "field" = 5);

-- lab.Scan: dims, where they were among the unknown fields.
UPDATE "scan" SET "varve_unknown" = varve_unknown_without("varve_unknown", 6)
  WHERE varve_unknown_has("varve_unknown", 6) AND "columns" IS varve_unknown_value("varve_unknown", 6, 'uint32');
