"""protoc-gen-varve: reads descriptors, builds a frozen model, checks it, renders C."""
