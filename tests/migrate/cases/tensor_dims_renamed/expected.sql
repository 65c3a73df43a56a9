-- lab.Scan: field 2 is renamed from rows to height.
ALTER TABLE "scan" RENAME COLUMN "rows" TO "height";

-- lab.Scan: field 3 is renamed from data to values.
-- lab.Scan: the tensor in field 4 (mask) may be absent now.
