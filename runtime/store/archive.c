/* Tensors in a store: slices, tensors larger than memory, flush. */
#include <string.h>

#include <varve/archive.h>
#include <varve/record.h>

#include "base/memory.h"
#include "store/call.h"
#include "store/maintain.h"
#include "table/catalog.h"
#include "table/read.h"
#include "table/seal.h"
#include "table/slice.h"
#include "table/staged.h"
#include "table/tensor.h"
#include "table/transaction.h"
#include "table/verify.h"
#include "table/write.h"

static enum varve_status
misuse(const struct varve_record *record, const char *text)
{
    return varve__fail(
        VARVE_MISUSE, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE,
        record ? record->descriptor->name : NULL, "%s", text);
}

/* What a call is about. */
struct subject {
    const struct varve__plan *plan;
    const struct varve_column *tensor;
};

static enum varve_status
find_subject(
    const struct varve_session *session,
    const struct varve_record *record,
    uint32_t field,
    struct subject *subject)
{
    if (!record)
        return misuse(NULL, "the record's table is NULL; pass a generated one, P_M_record");
    subject->plan = varve__plan_of(session->store->plans, record);
    if (!subject->plan)
        return misuse(
            record,
            "the message has no table in this store; open the store with the schema that has it");
    subject->tensor = varve__plan_tensor(subject->plan, field);
    if (!subject->tensor)
        return misuse(
            record, "the field is no tensor of the message; pass the constants of its enum");
    return VARVE_OK;
}

enum varve_status
varve_record_read_tensor(
    struct varve_session *session,
    const struct varve_record *record,
    int64_t id,
    uint32_t field,
    const struct varve_range *range,
    void *buffer,
    size_t size)
{
    struct subject subject;
    enum varve_status status = varve__session_enter(session);
    if (status != VARVE_OK)
        return status;
    struct varve__call call = varve__call_begin(session, VARVE_OPERATION_TENSOR_READ, record);
    status = find_subject(session, record, field, &subject);
    if (status == VARVE_OK)
        status = varve__slice_read(
            session->connection, subject.plan, subject.tensor, id, range, buffer, size);
    return varve__call_end(&call, 1, status);
}

/* -------------------------------------------------------------------- tensors larger than memory */

struct varve_tensor_writer {
    struct varve_session *session;
    struct subject subject;
    struct varve__segment *segment;
    struct varve__segment_tensor tensor; /* borrows what follows */
    int64_t id;
    int64_t dims[VARVE_DIMS_MAX];
    int64_t row_elements;
    int64_t rows;             /* written */
    int64_t spent_ns;         /* in its calls so far */
    enum varve_status failed; /* not OK: of the call that failed */
};

/* Another call of the writer's; all of them are counted as one. */
static struct varve__call
resume(const struct varve_tensor_writer *writer)
{
    struct varve__call call = varve__call_begin(
        writer->session, VARVE_OPERATION_TENSOR_WRITE, writer->subject.plan->record);
    call.begin -= writer->spent_ns;
    return call;
}

/* Ends a call behind which others of the writer follow. Returns status. */
static enum varve_status
end_part(
    struct varve_tensor_writer *writer, const struct varve__call *call, enum varve_status status)
{
    status = varve__session_leave(call->session, status);
    writer->spent_ns = varve__monotonic_now() - call->begin;
    return status;
}

static enum varve_status
fail_dims(const struct varve_tensor_writer *writer, enum varve_status status, const char *what)
{
    const char *name = writer->subject.plan->record->descriptor->name;
    status = varve__fail(
        status, VARVE_FAILURE_DIMS, VARVE_TIER_ARCHIVE, name, "%s.%s of the record %lld %s", name,
        writer->subject.tensor->field->name, (long long)writer->id, what);
    varve__failure_add_field(writer->subject.tensor->field->id);
    return status;
}

/* Whether the record, as it is stored now, has these dims. */
static enum varve_status
check_dims(const struct varve_tensor_writer *writer, enum varve_status otherwise, const char *what)
{
    void *row = NULL;
    bool same = true;
    int64_t dims[VARVE_DIMS_MAX];
    const struct varve_tensor *tensor = writer->subject.tensor->tensor;
    enum varve_status status =
        varve__read_row(writer->session->connection, writer->subject.plan, writer->id, &row);
    if (status != VARVE_OK)
        return status;
    varve__tensor_dims(tensor, row, dims);
    for (size_t i = 0; i < tensor->dim_count; i++)
        same = same && dims[i] == writer->dims[i];
    varve_record_free(row);
    return same ? VARVE_OK : fail_dims(writer, otherwise, what);
}

static enum varve_status
create_segment(struct varve_tensor_writer *writer)
{
    struct varve__segment_options options;
    const struct varve__segment_records records = {1, &writer->id};
    enum varve_status status =
        varve__seal_options(writer->session->connection, writer->subject.plan, &options);
    if (status != VARVE_OK)
        return status;
    options.watch = NULL; /* it lasts longer than one call */
    writer->tensor = (struct varve__segment_tensor){writer->subject.tensor, writer->dims};
    return varve__segment_create(&options, &records, &writer->tensor, 1, &writer->segment);
}

static enum varve_status
begin(struct varve_tensor_writer *writer, const int64_t *dims)
{
    const struct varve_tensor *tensor = writer->subject.tensor->tensor;
    int64_t size = (int64_t)varve_dtype_size(tensor->dtype);
    writer->row_elements = 1;
    for (size_t i = 0; i < tensor->dim_count; i++) {
        writer->dims[i] = dims[i];
        writer->row_elements *= i > 0 && dims[i] > 0 ? dims[i] : 1;
        if (dims[i] <= 0 || __builtin_mul_overflow(size, dims[i], &size))
            return fail_dims(
                writer, VARVE_INVALID,
                "has dims that are not positive, or too large; an empty tensor is written by an "
                "update");
    }
    enum varve_status status = check_dims(
        writer, VARVE_INVALID,
        "has other dims in its record; update the fields that say them first");
    return status == VARVE_OK ? create_segment(writer) : status;
}

static void
release_writer(struct varve_tensor_writer *writer)
{
    varve__catalog_discard(writer->session->connection, writer->subject.plan, writer->segment);
    varve__release(writer);
}

enum varve_status
varve_tensor_write_begin(
    struct varve_session *session,
    const struct varve_record *record,
    int64_t id,
    uint32_t field,
    const int64_t *dims,
    struct varve_tensor_writer **result)
{
    struct subject subject;
    struct varve_tensor_writer *writer = NULL;
    if (result)
        *result = NULL;
    enum varve_status status = varve__session_enter(session);
    if (status != VARVE_OK)
        return status;
    struct varve__call call = varve__call_begin(session, VARVE_OPERATION_TENSOR_WRITE, record);
    status = find_subject(session, record, field, &subject);
    if (status == VARVE_OK && (!dims || !result))
        status = misuse(record, "dims or the result is NULL; pass the addresses of variables");
    if (status == VARVE_OK && session->connection->read_only)
        status = varve__fail(
            VARVE_READ_ONLY, VARVE_FAILURE_OTHER, VARVE_TIER_ARCHIVE, record->descriptor->name,
            "the store was opened with read_only; open it without");
    if (status == VARVE_OK && !(writer = varve__allocate(sizeof *writer)))
        status = varve__fail_memory(record->descriptor->name, sizeof *writer);
    if (status == VARVE_OK) {
        *writer = (struct varve_tensor_writer){.session = session, .subject = subject, .id = id};
        status = begin(writer, dims);
    }
    if (status == VARVE_OK) {
        *result = writer;
        return end_part(writer, &call, status);
    }
    if (writer)
        release_writer(writer);
    return varve__call_end(&call, 0, status);
}

static enum varve_status
write_rows(struct varve_tensor_writer *writer, const void *data, int64_t count)
{
    if (writer->failed != VARVE_OK)
        return misuse(
            writer->subject.plan->record, "an earlier call on this writer has failed; cancel it");
    if (count < 0 || (!data && count > 0))
        return misuse(writer->subject.plan->record, "the count is negative, or data is NULL");
    if (count > writer->dims[0] - writer->rows)
        return fail_dims(writer, VARVE_INVALID, "gets more rows than its dims say");
    enum varve_status status =
        varve__segment_append(writer->segment, 0, data, (size_t)(count * writer->row_elements));
    writer->rows += count;
    writer->failed = status;
    return status;
}

enum varve_status
varve_tensor_write_rows(struct varve_tensor_writer *writer, const void *data, int64_t count)
{
    if (!writer)
        return misuse(NULL, "the writer is NULL; begin one and look at the status");
    enum varve_status status = varve__session_enter(writer->session);
    if (status != VARVE_OK)
        return status;
    struct varve__call call = resume(writer);
    return end_part(writer, &call, write_rows(writer, data, count));
}

/* Makes it the record's, in the write that has begun. */
static enum varve_status
put_in_place(struct varve_tensor_writer *writer)
{
    size_t dataset;
    int64_t place, first;
    struct varve__connection *connection = writer->session->connection;
    struct varve__segment *segment = writer->segment;
    enum varve_status status = check_dims(
        writer, VARVE_CONFLICT,
        "has got other dims in its record meanwhile; write it again with them");
    if (status == VARVE_NOT_FOUND)
        status = varve__fail_as(VARVE_CONFLICT);
    if (status == VARVE_OK)
        status = varve__staged_remove(
            connection, writer->subject.plan, writer->subject.tensor, writer->id);
    if (status != VARVE_OK)
        return status;
    writer->segment = NULL; /* the transaction's */
    int64_t bytes = writer->dims[0] * writer->row_elements *
                    (int64_t)varve_dtype_size(writer->subject.tensor->tensor->dtype);
    status = varve__catalog_add(connection, writer->subject.plan, segment, bytes, &first);
    if (status != VARVE_OK || !varve__segment_place(segment, 0, 0, &dataset, &place))
        return status;
    return varve__staged_insert_dims(
        connection, writer->subject.plan, writer->subject.tensor, writer->dims, writer->id,
        first + (int64_t)dataset, place);
}

static enum varve_status
finish(struct varve_tensor_writer *writer)
{
    struct varve__connection *connection = writer->session->connection;
    if (writer->failed != VARVE_OK)
        return misuse(
            writer->subject.plan->record,
            "an earlier call on this writer has failed: nothing was written");
    if (writer->rows != writer->dims[0])
        return fail_dims(writer, VARVE_INVALID, "lacks rows: its dims say more than were written");
    enum varve_status status = varve__segment_finish(writer->segment);
    if (status == VARVE_OK)
        status = varve__write_begin(connection, VARVE__WRITE_SEVERAL);
    if (status != VARVE_OK)
        return status;
    return varve__write_end(connection, VARVE__WRITE_SEVERAL, put_in_place(writer));
}

enum varve_status
varve_tensor_write_finish(struct varve_tensor_writer *writer)
{
    if (!writer)
        return misuse(NULL, "the writer is NULL; begin one and look at the status");
    struct varve_session *session = writer->session;
    enum varve_status status = varve__session_enter(session);
    if (status == VARVE_OK) {
        struct varve__call call = resume(writer);
        status = varve__call_end(&call, writer->rows, finish(writer));
    }
    release_writer(writer);
    return status;
}

void
varve_tensor_write_cancel(struct varve_tensor_writer *writer)
{
    if (!writer)
        return;
    struct varve__call call = resume(writer);
    varve__call_note(&call, writer->rows, writer->failed);
    release_writer(writer);
}

/* -------------------------------------------------------------------- verifying */

enum varve_status
varve_archive_verify(struct varve_session *session, varve_archive_finding *found, void *context)
{
    enum varve_status status = varve__session_enter(session);
    if (status != VARVE_OK)
        return status;
    status =
        found ? varve__verify_segments(session->connection, found, context)
              : misuse(NULL, "varve_archive_verify: `found` is NULL; pass what hears of findings");
    return varve__session_leave(session, status);
}
