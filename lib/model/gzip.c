#include "model/gzip.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define GZIP_WINDOW_BITS (15 + 16) /* zlib.h, deflateInit2: + 16 for gzip instead of zlib framing */
#define STEP_BYTES       ((size_t)64 * 1024)
#define LEVEL            1

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Lend the stream the free end of @out. */
static int lend(z_stream *stream, struct ph_buf *out, size_t size_bytes)
{
    int status = ph_buf_reserve(out, size_bytes);
    stream->next_out = status == 0 ? (Bytef *)out->data + out->size_bytes : NULL;
    stream->avail_out = status == 0 ? (uInt)size_bytes : 0;
    return status;
}

static void take_back(const z_stream *stream, struct ph_buf *out, size_t lent_bytes)
{
    out->size_bytes += lent_bytes - stream->avail_out;
    out->data[out->size_bytes] = '\0';
}

int ph_gzip_writer_init(struct ph_gzip_writer *writer, struct ph_buf *out)
{
    *writer = (struct ph_gzip_writer){.out = out};
    int result = deflateInit2(&writer->stream, LEVEL, Z_DEFLATED, GZIP_WINDOW_BITS, 8, Z_DEFAULT_STRATEGY);
    return result == Z_OK ? 0 : -ENOMEM;
}

/* Runs until all input is taken, or with Z_FINISH until all is written. */
static void compress_step(struct ph_gzip_writer *writer, int flush)
{
    int result = Z_OK;
    do {
        if (lend(&writer->stream, writer->out, STEP_BYTES) < 0)
            return;
        result = deflate(&writer->stream, flush);
        take_back(&writer->stream, writer->out, STEP_BYTES);
    } while (result == Z_OK && (writer->stream.avail_in || writer->stream.avail_out == 0 || flush == Z_FINISH));
}

void ph_gzip_write(struct ph_gzip_writer *writer, const void *bytes, size_t size_bytes)
{
    const char *next = bytes;
    while (size_bytes) {
        size_t step_bytes = smaller(size_bytes, INT_MAX);
        writer->stream.next_in = (Bytef *)next;
        writer->stream.avail_in = (uInt)step_bytes;
        compress_step(writer, Z_NO_FLUSH);
        next += step_bytes;
        size_bytes -= step_bytes;
    }
}

int ph_gzip_writer_finish(struct ph_gzip_writer *writer)
{
    writer->stream.avail_in = 0;
    compress_step(writer, Z_FINISH);
    deflateEnd(&writer->stream);
    return ph_buf_status(writer->out);
}

bool ph_gzip_is(const char *bytes, size_t size_bytes)
{
    return size_bytes >= 2 && memcmp(bytes, "\x1f\x8b", 2) == 0;
}

/* One inflate() over at most @left_bytes of input into at most @room_bytes of output. */
static int inflate_step(z_stream *stream, size_t left_bytes, size_t room_bytes, struct ph_buf *out)
{
    size_t lent_bytes = smaller(STEP_BYTES, room_bytes);
    if (lend(stream, out, lent_bytes) < 0)
        return Z_MEM_ERROR;
    stream->avail_in = (uInt)smaller(left_bytes, INT_MAX);
    int result = inflate(stream, Z_NO_FLUSH);
    take_back(stream, out, lent_bytes);
    return result;
}

static int inflate_error(int result, size_t place, struct ph_error *error)
{
    if (result == Z_MEM_ERROR)
        return ph_error_set(error, -ENOMEM, "no memory to decompress the profile");
    return ph_error_set(error, -EINVAL, "byte %zu: %s", place,
                        result == Z_BUF_ERROR ? "the gzip stream ends early" : "expected a sound gzip stream");
}

static int inflate_all(z_stream *stream, const char *bytes, size_t size_bytes, size_t max_bytes, struct ph_buf *out,
                       struct ph_error *error)
{
    size_t first_bytes = out->size_bytes;
    stream->next_in = (Bytef *)bytes;
    for (;;) {
        size_t done_bytes = (size_t)((const char *)stream->next_in - bytes);
        size_t room_bytes = max_bytes + 1 - (out->size_bytes - first_bytes);
        int result = inflate_step(stream, size_bytes - done_bytes, room_bytes, out);
        done_bytes = (size_t)((const char *)stream->next_in - bytes);
        if (out->size_bytes - first_bytes > max_bytes)
            return ph_error_set(error, -EFBIG, "more than %zu bytes once decompressed", max_bytes);
        if (result == Z_STREAM_END && done_bytes == size_bytes)
            return 0;
        if (result == Z_STREAM_END)
            result = inflateReset(stream); /* the next member: RFC 1952, 2.2 */
        if (result != Z_OK)
            return inflate_error(result, done_bytes, error);
    }
}

int ph_gzip_read(const char *bytes, size_t size_bytes, size_t max_bytes, struct ph_buf *out, struct ph_error *error)
{
    z_stream stream = {0};
    if (inflateInit2(&stream, GZIP_WINDOW_BITS) != Z_OK)
        return inflate_error(Z_MEM_ERROR, 0, error);
    int status = inflate_all(&stream, bytes, size_bytes, max_bytes, out, error);
    inflateEnd(&stream);
    return status;
}
