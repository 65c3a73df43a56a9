-- lab.Sample: field 3 (path) has a JSON copy now.
ALTER TABLE "sample" ADD COLUMN "path_json" TEXT;

-- lab.Sample: JSON copies.
SELECT varve_rebuild_json('lab.Sample', 3);
