-- lab.Point: field 2 is renamed from label to tag.
SELECT varve_rebuild_json('lab.Sample', 2);
SELECT varve_rebuild_json('lab.Sample', 4);
