"""The schemas of bench_codegen: `count` messages of 20 fields, for varve and for protoc-c."""

FIELDS = 20

_FILE = """\
// A schema of {count} messages, made for the benchmark of the generator.
syntax = "proto3";

package bench;

import "varve/options.proto";
"""

_MESSAGE = """
// Message {i}: one trial of an experiment, with its conditions, its outcome and the trace that was
// recorded.
message Trial{i} {{
  option (varve.table) = {{ index {{ field: "subject" field: "started_at" }} }};

  enum Outcome {{
    // The trial was not judged.
    OUTCOME_UNKNOWN = 0;
    OUTCOME_CORRECT = 1;
    // A wrong answer, or none in time.
    OUTCOME_WRONG = 2;
  }}

  int64 id = 1 [(varve.column).primary_key = true];
  // Name of the subject.
  string subject = 2;
  // Identifies the trial across sites.
  string trial_key = 3 [(varve.column).unique = true];
  // When the trial began.
  int64 started_at = 4 [(varve.column) = {{ time: UNIX_NANOSECONDS index: true }}];
  // When it ended; absent while it runs.
  optional int64 ended_at = 5 [(varve.column).time = UNIX_NANOSECONDS];
  // How the trial went.
  Outcome outcome = 6;
  // Score between 0 and 1.
  double score = 7 [(varve.column) = {{ min: "0" max: "1" }}];
  // Time to the first response.
  float response_time = 8 [(varve.column).unit = "ms"];
  // Whether the subject was rewarded.
  bool rewarded = 9;
  uint32 attempt_count = 10;
  sint32 drift = 11;
  // Hash of the stimulus.
  fixed64 stimulus_hash = 12;
  // The stimulus as it was shown.
  bytes stimulus = 13;
  optional string remark = 14;
  // Marks that the operator set.
  repeated string marks = 15;
  map<string, string> metadata = 16;
  // Channels of the recording.
  uint32 channel_count = 17;
  // Samples of each channel.
  uint32 sample_count = 18;
  // What was recorded, one row a channel.
  repeated float trace = 19 [
    (varve.tensor) = {{ dim: "channel_count" dim: "sample_count" }},
    (varve.column).unit = "mV"
  ];
  // The trial that this one repeats; absent when it is the first.
  optional int64 repeats_id = 20 [(varve.column) = {{ references: "Trial{target}.id" on_delete: SET_NULL }}];
}}
"""

_FILE_C = """\
// A schema of {count} messages, made for the benchmark of the generator.
syntax = "proto2";

package bench_c;
"""

_MESSAGE_C = """
// Message {i}: one trial of an experiment, with its conditions, its outcome and the trace that was
// recorded.
message Trial{i} {{
  enum Outcome {{
    // The trial was not judged.
    OUTCOME_UNKNOWN = 0;
    OUTCOME_CORRECT = 1;
    // A wrong answer, or none in time.
    OUTCOME_WRONG = 2;
  }}

  message MetadataEntry {{
    required string key = 1;
    required string value = 2;
  }}

  required int64 id = 1;
  // Name of the subject.
  required string subject = 2;
  // Identifies the trial across sites.
  required string trial_key = 3;
  // When the trial began.
  required int64 started_at = 4;
  // When it ended; absent while it runs.
  optional int64 ended_at = 5;
  // How the trial went.
  required Outcome outcome = 6;
  // Score between 0 and 1.
  required double score = 7;
  // Time to the first response.
  required float response_time = 8;
  // Whether the subject was rewarded.
  required bool rewarded = 9;
  required uint32 attempt_count = 10;
  required sint32 drift = 11;
  // Hash of the stimulus.
  required fixed64 stimulus_hash = 12;
  // The stimulus as it was shown.
  required bytes stimulus = 13;
  optional string remark = 14;
  // Marks that the operator set.
  repeated string marks = 15;
  repeated MetadataEntry metadata = 16;
  // Channels of the recording.
  required uint32 channel_count = 17;
  // Samples of each channel.
  required uint32 sample_count = 18;
  // What was recorded, one row a channel.
  repeated float trace = 19 [packed = true];
  // The trial that this one repeats; absent when it is the first.
  optional int64 repeats_id = 20;
}}
"""


def schema(count):
    messages = (_MESSAGE.format(i=i, target=max(i - 1, 0)) for i in range(count))
    return _FILE.format(count=count) + "".join(messages)


def schema_c(count):
    return _FILE_C.format(count=count) + "".join(_MESSAGE_C.format(i=i) for i in range(count))


_QUERIES = """
message SubjectRequest {
  string subject = 1;
  int64 limit = 2;
}

message SubjectScore {
  string subject = 1;
  int64 trials = 2;
  optional double mean = 3;
}

service Questions {
"""

# In turn: rows of a table, an aggregate, a join, a recursion, a write.
_METHODS = (
    ("SubjectRequest", "stream Trial{t}", "SELECT * FROM trial{t} WHERE subject = :subject ORDER BY started_at LIMIT :limit"),
    ("SubjectRequest", "SubjectScore", "SELECT :subject AS subject, count(*) AS trials, avg(score) AS mean FROM trial{t}"
                                       " WHERE subject = :subject AND started_at > :limit"),
    ("SubjectRequest", "stream SubjectScore", "SELECT a.subject, count(*) AS trials, avg(b.score) AS mean FROM trial{t} a"
                                              " LEFT JOIN trial{u} b ON b.id = a.repeats_id WHERE a.subject = :subject"
                                              " GROUP BY a.subject LIMIT :limit"),
    ("SubjectRequest", "SubjectScore", "WITH RECURSIVE chain (id, depth) AS (SELECT id, 0 FROM trial1 WHERE subject = :subject"
                                       " UNION SELECT trial1.repeats_id, depth + 1 FROM chain JOIN trial1 ON trial1.id ="
                                       " chain.id WHERE depth < :limit) SELECT :subject AS subject, count(*) AS trials,"
                                       " avg(depth) AS mean FROM chain"),
    ("SubjectRequest", "stream SubjectScore", "UPDATE trial{t} SET score = 0.5 WHERE subject = :subject AND started_at >= :limit"
                                              " RETURNING subject, id AS trials, score AS mean"),
)


def schema_with_queries(messages, queries):
    """A schema with so many typed queries over its tables."""
    methods = []
    for i in range(queries):
        request, response, sql = _METHODS[i % len(_METHODS)]
        t = 2 + i % (messages - 2)
        methods.append(
            f"  // Question {i}.\n  rpc Ask{i}({request}) returns ({response.format(t=t)}) {{\n"
            f'    option (varve.sql) = "{sql.format(t=t, u=t - 1)}";\n  }}\n'
        )
    return schema(messages) + _QUERIES + "\n".join(methods) + "}\n"
