-- lab.Scan: field 4 (mask) is dropped, with its values.
DELETE FROM "varve_staged_scan" WHERE "field" = 4;
