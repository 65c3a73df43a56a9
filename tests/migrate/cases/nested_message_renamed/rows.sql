INSERT INTO sample (id, place, place_json, path, marks, marks_json) VALUES
  (1, x'120f0a0b09000000000000f03f10051200', '{"at":{"x":1,"label":5},"name":""}', x'', x'', '{}'),
  (2, NULL, NULL, x'1a0210051a00', x'', '{}');
