-- 0001_initial: written by `varve migrate new`. Statements added at the end are kept and run too.
-- package: cortex
-- reads_ok: yes
-- writes_ok: yes
-- lock + message cortex.AttentionWeights
-- lock + field cortex.AttentionWeights 1 query_hash string
-- lock + field cortex.AttentionWeights 2 head uint32
-- lock + field cortex.AttentionWeights 3 computed_at int64 time=UNIX_NANOSECONDS
-- lock + field cortex.AttentionWeights 4 query_length uint32
-- lock + field cortex.AttentionWeights 5 key_length uint32
-- lock + field cortex.AttentionWeights 6 weights repeated float tensor=#4,#5
-- lock + cache cortex.AttentionWeights key=attention:{1}:{2} ttl_seconds=600
-- lock + message cortex.Concept table=concept
-- lock + field cortex.Concept 1 id int64 key=1
-- lock + field cortex.Concept 2 name string unique
-- lock + field cortex.Concept 3 embedding repeated float tensor=#4
-- lock + field cortex.Concept 4 embedding_size uint32
-- lock + field cortex.Concept 5 created_at int64 time=UNIX_NANOSECONDS
-- lock + field cortex.Concept 6 last_used_at int64 time=UNIX_NANOSECONDS
-- lock + field cortex.Concept 7 access_count uint64
-- lock + field cortex.Concept 8 metadata map string string
-- lock + index cortex.Concept 6
-- lock + message cortex.ConceptRelationship table=concept_relationship
-- lock + field cortex.ConceptRelationship 1 id int64 key=1
-- lock + field cortex.ConceptRelationship 2 source_id int64 references=cortex.Concept#1 on_delete=CASCADE
-- lock + field cortex.ConceptRelationship 3 target_id int64 index references=cortex.Concept#1 on_delete=CASCADE
-- lock + field cortex.ConceptRelationship 4 type string
-- lock + field cortex.ConceptRelationship 5 strength double min=0 max=1
-- lock + index cortex.ConceptRelationship 2,3,4 unique
-- lock + message cortex.Episode table=episode
-- lock + field cortex.Episode 1 id int64 key=1
-- lock + field cortex.Episode 2 occurred_at int64 index time=UNIX_NANOSECONDS
-- lock + field cortex.Episode 3 experience bytes
-- lock + field cortex.Episode 4 performance_score double min=0 max=1
-- lock + field cortex.Episode 5 context_hash string index
-- lock + field cortex.Episode 6 metadata map string string
-- lock + message cortex.HomeostaticTrace table=homeostatic_trace
-- lock + field cortex.HomeostaticTrace 1 id int64 key=1
-- lock + field cortex.HomeostaticTrace 2 population string
-- lock + field cortex.HomeostaticTrace 3 recorded_at int64 time=UNIX_NANOSECONDS
-- lock + field cortex.HomeostaticTrace 4 neuron_count uint32
-- lock + field cortex.HomeostaticTrace 5 target_rate double min=0 unit=Hz
-- lock + field cortex.HomeostaticTrace 6 window_duration double min=0 unit=ms
-- lock + field cortex.HomeostaticTrace 7 actual_rates repeated float unit=Hz tensor=#4
-- lock + field cortex.HomeostaticTrace 8 threshold_adjustments repeated float unit=mV tensor=#4
-- lock + field cortex.HomeostaticTrace 9 episode_id optional int64 index references=cortex.Episode#1 on_delete=SET_NULL
-- lock + index cortex.HomeostaticTrace 2,3
-- lock + message cortex.LayerOutput table=layer_output
-- lock + field cortex.LayerOutput 1 id int64 key=1
-- lock + field cortex.LayerOutput 2 network string
-- lock + field cortex.LayerOutput 3 layer string
-- lock + field cortex.LayerOutput 4 recorded_at int64 time=UNIX_NANOSECONDS
-- lock + field cortex.LayerOutput 5 batch_size uint32
-- lock + field cortex.LayerOutput 6 width uint32
-- lock + field cortex.LayerOutput 7 activations bytes tensor=#5,#6 dtype=FLOAT16
-- lock + field cortex.LayerOutput 8 episode_id optional int64 index references=cortex.Episode#1 on_delete=SET_NULL
-- lock + index cortex.LayerOutput 2,3,4
-- lock + message cortex.LearningEvent table=learning_event
-- lock + field cortex.LearningEvent 1 id int64 key=1
-- lock + field cortex.LearningEvent 2 task_type string index
-- lock + field cortex.LearningEvent 3 performance_delta double
-- lock + field cortex.LearningEvent 4 strategy_used string
-- lock + field cortex.LearningEvent 5 occurred_at int64 index time=UNIX_NANOSECONDS
-- lock + field cortex.LearningEvent 6 parameters map string double
-- lock + index cortex.LearningEvent 2,3
-- lock + message cortex.NetworkSnapshot table=network_snapshot
-- lock + field cortex.NetworkSnapshot 1 id int64 key=1
-- lock + field cortex.NetworkSnapshot 2 taken_at int64 index time=UNIX_NANOSECONDS
-- lock + field cortex.NetworkSnapshot 3 neuron_count uint32
-- lock + field cortex.NetworkSnapshot 4 adjacency bytes tensor=#3,#3 dtype=UINT8
-- lock + field cortex.NetworkSnapshot 5 weights repeated float tensor=#3,#3
-- lock + field cortex.NetworkSnapshot 6 neuron_states repeated float unit=mV tensor=#3
-- lock + field cortex.NetworkSnapshot 7 episode_id optional int64 index references=cortex.Episode#1 on_delete=SET_NULL
-- lock + archive cortex.NetworkSnapshot layout=OBJECT
-- lock + message cortex.PerformanceMetrics table=performance_metrics
-- lock + field cortex.PerformanceMetrics 1 id int64 key=1
-- lock + field cortex.PerformanceMetrics 2 metric string
-- lock + field cortex.PerformanceMetrics 3 task_type string
-- lock + field cortex.PerformanceMetrics 4 recorded_at int64 time=UNIX_NANOSECONDS
-- lock + field cortex.PerformanceMetrics 5 sample_count uint32
-- lock + field cortex.PerformanceMetrics 6 values repeated double tensor=#5
-- lock + field cortex.PerformanceMetrics 7 mean double
-- lock + field cortex.PerformanceMetrics 8 standard_deviation double min=0
-- lock + field cortex.PerformanceMetrics 9 minimum double
-- lock + field cortex.PerformanceMetrics 10 maximum double
-- lock + field cortex.PerformanceMetrics 11 episode_id optional int64 index references=cortex.Episode#1 on_delete=SET_NULL
-- lock + index cortex.PerformanceMetrics 3,2,4
-- lock + message cortex.PlasticityTrace table=plasticity_trace
-- lock + field cortex.PlasticityTrace 1 id int64 key=1
-- lock + field cortex.PlasticityTrace 2 recorded_at int64 index time=UNIX_NANOSECONDS
-- lock + field cortex.PlasticityTrace 3 rule enum cortex.PlasticityTrace.Rule
-- lock + field cortex.PlasticityTrace 4 learning_rate double min=0
-- lock + field cortex.PlasticityTrace 5 synapse_count uint32
-- lock + field cortex.PlasticityTrace 6 weight_changes repeated float tensor=#5
-- lock + field cortex.PlasticityTrace 7 presynaptic_trace repeated float tensor=#5
-- lock + field cortex.PlasticityTrace 8 postsynaptic_trace repeated float tensor=#5
-- lock + field cortex.PlasticityTrace 9 episode_id optional int64 index references=cortex.Episode#1 on_delete=SET_NULL
-- lock + index cortex.PlasticityTrace 3,2
-- lock + value cortex.PlasticityTrace.Rule 0 UNSPECIFIED
-- lock + value cortex.PlasticityTrace.Rule 1 STDP
-- lock + value cortex.PlasticityTrace.Rule 2 REWARD_STDP
-- lock + value cortex.PlasticityTrace.Rule 3 HEBB
-- lock + value cortex.PlasticityTrace.Rule 4 OJA
-- lock + value cortex.PlasticityTrace.Rule 5 BCM
-- lock + message cortex.ReservoirStates table=reservoir_states
-- lock + field cortex.ReservoirStates 1 id int64 key=1
-- lock + field cortex.ReservoirStates 2 recorded_at int64 time=UNIX_NANOSECONDS
-- lock + field cortex.ReservoirStates 3 reservoir string
-- lock + field cortex.ReservoirStates 4 step_count uint32
-- lock + field cortex.ReservoirStates 5 unit_count uint32
-- lock + field cortex.ReservoirStates 6 states repeated float tensor=#4,#5
-- lock + field cortex.ReservoirStates 7 spectral_radius double min=0
-- lock + field cortex.ReservoirStates 8 leak_rate double min=0 max=1
-- lock + field cortex.ReservoirStates 9 step_duration double min=0 unit=ms
-- lock + field cortex.ReservoirStates 10 episode_id optional int64 index references=cortex.Episode#1 on_delete=SET_NULL
-- lock + index cortex.ReservoirStates 3,2
-- lock + archive cortex.ReservoirStates layout=OBJECT
-- lock + message cortex.SpikeCache
-- lock + field cortex.SpikeCache 1 region string
-- lock + field cortex.SpikeCache 2 bin int64
-- lock + field cortex.SpikeCache 3 bin_start int64 time=UNIX_NANOSECONDS
-- lock + field cortex.SpikeCache 4 bin_duration int64 unit=ns
-- lock + field cortex.SpikeCache 5 spike_count uint32
-- lock + field cortex.SpikeCache 6 spike_times repeated int64 unit=ns tensor=#5
-- lock + field cortex.SpikeCache 7 neuron_ids repeated uint32 tensor=#5
-- lock + cache cortex.SpikeCache key=spikes:{1}:{2} ttl_seconds=300 index_by=#3 mode=ONLY
-- lock + message cortex.SpikeTrain table=spike_train
-- lock + field cortex.SpikeTrain 1 id int64 key=1
-- lock + field cortex.SpikeTrain 2 recorded_at int64 index time=UNIX_NANOSECONDS
-- lock + field cortex.SpikeTrain 3 spike_count uint32
-- lock + field cortex.SpikeTrain 4 spike_times repeated int64 unit=ns tensor=#3
-- lock + field cortex.SpikeTrain 5 neuron_ids repeated uint32 tensor=#3
-- lock + field cortex.SpikeTrain 6 amplitudes repeated float unit=mV tensor=#3 may_be_absent=yes
-- lock + field cortex.SpikeTrain 7 episode_id optional int64 index references=cortex.Episode#1 on_delete=SET_NULL
-- lock + message cortex.WorkingMemoryPattern
-- lock + field cortex.WorkingMemoryPattern 1 pattern_hash string
-- lock + field cortex.WorkingMemoryPattern 2 stored_at int64 time=UNIX_NANOSECONDS
-- lock + field cortex.WorkingMemoryPattern 3 unit_count uint32
-- lock + field cortex.WorkingMemoryPattern 4 activations repeated float tensor=#3
-- lock + field cortex.WorkingMemoryPattern 5 salience double
-- lock + field cortex.WorkingMemoryPattern 6 context_hash string
-- lock + field cortex.WorkingMemoryPattern 7 rehearsal_count uint32
-- lock + cache cortex.WorkingMemoryPattern key=wm:{1} ttl_seconds=3600 index_by=#2

-- cortex.Concept: the message is new.
CREATE TABLE "concept" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "name" TEXT NOT NULL DEFAULT '',
  "embedding_size" INTEGER NOT NULL DEFAULT 0,
  "created_at" INTEGER NOT NULL DEFAULT 0,
  "last_used_at" INTEGER NOT NULL DEFAULT 0,
  "access_count" INTEGER NOT NULL DEFAULT 0,
  "metadata" TEXT NOT NULL DEFAULT '{}',
  "varve_unknown" BLOB
) STRICT;
CREATE UNIQUE INDEX "concept.2" ON "concept" ("name");
CREATE INDEX "concept.6" ON "concept" ("last_used_at");
CREATE TABLE "varve_staged_concept" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "record" INTEGER NOT NULL REFERENCES "concept" ("id") ON DELETE CASCADE,
  "field" INTEGER NOT NULL,
  "dataset" INTEGER NOT NULL DEFAULT 0,
  "place" INTEGER NOT NULL DEFAULT 0,
  "hash" INTEGER,
  "dims" TEXT NOT NULL,
  "bytes" BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX "varve_staged_concept.record,field" ON "varve_staged_concept" ("record", "field");

-- cortex.ConceptRelationship: the message is new.
CREATE TABLE "concept_relationship" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "source_id" INTEGER NOT NULL REFERENCES "concept" ("id") ON DELETE CASCADE,
  "target_id" INTEGER NOT NULL REFERENCES "concept" ("id") ON DELETE CASCADE,
  "type" TEXT NOT NULL DEFAULT '',
  "strength" REAL NOT NULL DEFAULT 0 CHECK ("strength" >= 0) CHECK ("strength" <= 1),
  "varve_unknown" BLOB
) STRICT;
CREATE UNIQUE INDEX "concept_relationship.2,3,4" ON "concept_relationship" ("source_id", "target_id", "type");
CREATE INDEX "concept_relationship.3" ON "concept_relationship" ("target_id");

-- cortex.Episode: the message is new.
CREATE TABLE "episode" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "occurred_at" INTEGER NOT NULL DEFAULT 0,
  "experience" BLOB NOT NULL DEFAULT x'',
  "performance_score" REAL NOT NULL DEFAULT 0 CHECK ("performance_score" >= 0) CHECK ("performance_score" <= 1),
  "context_hash" TEXT NOT NULL DEFAULT '',
  "metadata" TEXT NOT NULL DEFAULT '{}',
  "varve_unknown" BLOB
) STRICT;
CREATE INDEX "episode.2" ON "episode" ("occurred_at");
CREATE INDEX "episode.5" ON "episode" ("context_hash");

-- cortex.HomeostaticTrace: the message is new.
CREATE TABLE "homeostatic_trace" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "population" TEXT NOT NULL DEFAULT '',
  "recorded_at" INTEGER NOT NULL DEFAULT 0,
  "neuron_count" INTEGER NOT NULL DEFAULT 0,
  "target_rate" REAL NOT NULL DEFAULT 0 CHECK ("target_rate" >= 0),
  "window_duration" REAL NOT NULL DEFAULT 0 CHECK ("window_duration" >= 0),
  "episode_id" INTEGER REFERENCES "episode" ("id") ON DELETE SET NULL,
  "varve_unknown" BLOB
) STRICT;
CREATE INDEX "homeostatic_trace.2,3" ON "homeostatic_trace" ("population", "recorded_at");
CREATE INDEX "homeostatic_trace.9" ON "homeostatic_trace" ("episode_id");
CREATE TABLE "varve_staged_homeostatic_trace" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "record" INTEGER NOT NULL REFERENCES "homeostatic_trace" ("id") ON DELETE CASCADE,
  "field" INTEGER NOT NULL,
  "dataset" INTEGER NOT NULL DEFAULT 0,
  "place" INTEGER NOT NULL DEFAULT 0,
  "hash" INTEGER,
  "dims" TEXT NOT NULL,
  "bytes" BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX "varve_staged_homeostatic_trace.record,field" ON "varve_staged_homeostatic_trace" ("record", "field");

-- cortex.LayerOutput: the message is new.
CREATE TABLE "layer_output" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "network" TEXT NOT NULL DEFAULT '',
  "layer" TEXT NOT NULL DEFAULT '',
  "recorded_at" INTEGER NOT NULL DEFAULT 0,
  "batch_size" INTEGER NOT NULL DEFAULT 0,
  "width" INTEGER NOT NULL DEFAULT 0,
  "episode_id" INTEGER REFERENCES "episode" ("id") ON DELETE SET NULL,
  "varve_unknown" BLOB
) STRICT;
CREATE INDEX "layer_output.2,3,4" ON "layer_output" ("network", "layer", "recorded_at");
CREATE INDEX "layer_output.8" ON "layer_output" ("episode_id");
CREATE TABLE "varve_staged_layer_output" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "record" INTEGER NOT NULL REFERENCES "layer_output" ("id") ON DELETE CASCADE,
  "field" INTEGER NOT NULL,
  "dataset" INTEGER NOT NULL DEFAULT 0,
  "place" INTEGER NOT NULL DEFAULT 0,
  "hash" INTEGER,
  "dims" TEXT NOT NULL,
  "bytes" BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX "varve_staged_layer_output.record,field" ON "varve_staged_layer_output" ("record", "field");

-- cortex.LearningEvent: the message is new.
CREATE TABLE "learning_event" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "task_type" TEXT NOT NULL DEFAULT '',
  "performance_delta" REAL NOT NULL DEFAULT 0,
  "strategy_used" TEXT NOT NULL DEFAULT '',
  "occurred_at" INTEGER NOT NULL DEFAULT 0,
  "parameters" TEXT NOT NULL DEFAULT '{}',
  "varve_unknown" BLOB
) STRICT;
CREATE INDEX "learning_event.2,3" ON "learning_event" ("task_type", "performance_delta");
CREATE INDEX "learning_event.5" ON "learning_event" ("occurred_at");

-- cortex.NetworkSnapshot: the message is new.
CREATE TABLE "network_snapshot" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "taken_at" INTEGER NOT NULL DEFAULT 0,
  "neuron_count" INTEGER NOT NULL DEFAULT 0,
  "episode_id" INTEGER REFERENCES "episode" ("id") ON DELETE SET NULL,
  "varve_unknown" BLOB
) STRICT;
CREATE INDEX "network_snapshot.2" ON "network_snapshot" ("taken_at");
CREATE INDEX "network_snapshot.7" ON "network_snapshot" ("episode_id");
CREATE TABLE "varve_staged_network_snapshot" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "record" INTEGER NOT NULL REFERENCES "network_snapshot" ("id") ON DELETE CASCADE,
  "field" INTEGER NOT NULL,
  "dataset" INTEGER NOT NULL DEFAULT 0,
  "place" INTEGER NOT NULL DEFAULT 0,
  "hash" INTEGER,
  "dims" TEXT NOT NULL,
  "bytes" BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX "varve_staged_network_snapshot.record,field" ON "varve_staged_network_snapshot" ("record", "field");

-- cortex.PerformanceMetrics: the message is new.
CREATE TABLE "performance_metrics" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "metric" TEXT NOT NULL DEFAULT '',
  "task_type" TEXT NOT NULL DEFAULT '',
  "recorded_at" INTEGER NOT NULL DEFAULT 0,
  "sample_count" INTEGER NOT NULL DEFAULT 0,
  "mean" REAL NOT NULL DEFAULT 0,
  "standard_deviation" REAL NOT NULL DEFAULT 0 CHECK ("standard_deviation" >= 0),
  "minimum" REAL NOT NULL DEFAULT 0,
  "maximum" REAL NOT NULL DEFAULT 0,
  "episode_id" INTEGER REFERENCES "episode" ("id") ON DELETE SET NULL,
  "varve_unknown" BLOB
) STRICT;
CREATE INDEX "performance_metrics.3,2,4" ON "performance_metrics" ("task_type", "metric", "recorded_at");
CREATE INDEX "performance_metrics.11" ON "performance_metrics" ("episode_id");
CREATE TABLE "varve_staged_performance_metrics" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "record" INTEGER NOT NULL REFERENCES "performance_metrics" ("id") ON DELETE CASCADE,
  "field" INTEGER NOT NULL,
  "dataset" INTEGER NOT NULL DEFAULT 0,
  "place" INTEGER NOT NULL DEFAULT 0,
  "hash" INTEGER,
  "dims" TEXT NOT NULL,
  "bytes" BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX "varve_staged_performance_metrics.record,field" ON "varve_staged_performance_metrics" ("record", "field");

-- cortex.PlasticityTrace: the message is new.
CREATE TABLE "plasticity_trace" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "recorded_at" INTEGER NOT NULL DEFAULT 0,
  "rule" INTEGER NOT NULL DEFAULT 0,
  "learning_rate" REAL NOT NULL DEFAULT 0 CHECK ("learning_rate" >= 0),
  "synapse_count" INTEGER NOT NULL DEFAULT 0,
  "episode_id" INTEGER REFERENCES "episode" ("id") ON DELETE SET NULL,
  "varve_unknown" BLOB
) STRICT;
CREATE INDEX "plasticity_trace.3,2" ON "plasticity_trace" ("rule", "recorded_at");
CREATE INDEX "plasticity_trace.2" ON "plasticity_trace" ("recorded_at");
CREATE INDEX "plasticity_trace.9" ON "plasticity_trace" ("episode_id");
CREATE TABLE "varve_staged_plasticity_trace" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "record" INTEGER NOT NULL REFERENCES "plasticity_trace" ("id") ON DELETE CASCADE,
  "field" INTEGER NOT NULL,
  "dataset" INTEGER NOT NULL DEFAULT 0,
  "place" INTEGER NOT NULL DEFAULT 0,
  "hash" INTEGER,
  "dims" TEXT NOT NULL,
  "bytes" BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX "varve_staged_plasticity_trace.record,field" ON "varve_staged_plasticity_trace" ("record", "field");

-- cortex.ReservoirStates: the message is new.
CREATE TABLE "reservoir_states" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "recorded_at" INTEGER NOT NULL DEFAULT 0,
  "reservoir" TEXT NOT NULL DEFAULT '',
  "step_count" INTEGER NOT NULL DEFAULT 0,
  "unit_count" INTEGER NOT NULL DEFAULT 0,
  "spectral_radius" REAL NOT NULL DEFAULT 0 CHECK ("spectral_radius" >= 0),
  "leak_rate" REAL NOT NULL DEFAULT 0 CHECK ("leak_rate" >= 0) CHECK ("leak_rate" <= 1),
  "step_duration" REAL NOT NULL DEFAULT 0 CHECK ("step_duration" >= 0),
  "episode_id" INTEGER REFERENCES "episode" ("id") ON DELETE SET NULL,
  "varve_unknown" BLOB
) STRICT;
CREATE INDEX "reservoir_states.3,2" ON "reservoir_states" ("reservoir", "recorded_at");
CREATE INDEX "reservoir_states.10" ON "reservoir_states" ("episode_id");
CREATE TABLE "varve_staged_reservoir_states" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "record" INTEGER NOT NULL REFERENCES "reservoir_states" ("id") ON DELETE CASCADE,
  "field" INTEGER NOT NULL,
  "dataset" INTEGER NOT NULL DEFAULT 0,
  "place" INTEGER NOT NULL DEFAULT 0,
  "hash" INTEGER,
  "dims" TEXT NOT NULL,
  "bytes" BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX "varve_staged_reservoir_states.record,field" ON "varve_staged_reservoir_states" ("record", "field");

-- cortex.SpikeTrain: the message is new.
CREATE TABLE "spike_train" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "recorded_at" INTEGER NOT NULL DEFAULT 0,
  "spike_count" INTEGER NOT NULL DEFAULT 0,
  "episode_id" INTEGER REFERENCES "episode" ("id") ON DELETE SET NULL,
  "varve_unknown" BLOB
) STRICT;
CREATE INDEX "spike_train.2" ON "spike_train" ("recorded_at");
CREATE INDEX "spike_train.7" ON "spike_train" ("episode_id");
CREATE TABLE "varve_staged_spike_train" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "record" INTEGER NOT NULL REFERENCES "spike_train" ("id") ON DELETE CASCADE,
  "field" INTEGER NOT NULL,
  "dataset" INTEGER NOT NULL DEFAULT 0,
  "place" INTEGER NOT NULL DEFAULT 0,
  "hash" INTEGER,
  "dims" TEXT NOT NULL,
  "bytes" BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX "varve_staged_spike_train.record,field" ON "varve_staged_spike_train" ("record", "field");

-- cortex.AttentionWeights: the message is new.
-- cortex.SpikeCache: the message is new.
-- cortex.WorkingMemoryPattern: the message is new.
