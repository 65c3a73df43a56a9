-- lab.Scan: field 3 (data) is dropped, with its values.

-- lab.Scan: field 4 (mask) is dropped, with its values.

-- lab.Scan: it has no tensors any more.
DROP TABLE "varve_staged_scan";
