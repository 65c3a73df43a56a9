-- lab.Point: field 3 (mood) is dropped, with its values.
-- lab.Point: field 4 (unit, string) is new.
-- lab.Point: field 1 (x) is optional now.
-- lab.Point: field 2 (label) is int64 now, and was int32.
SELECT varve_rebuild_json('lab.Sample', 2);
SELECT varve_rebuild_json('lab.Sample', 4);
