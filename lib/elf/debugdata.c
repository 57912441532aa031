#include "elf/debugdata.h"

#include <errno.h>
#include <lzma.h>
#include <stdlib.h>

#define INPUT_BYTES   ((size_t)16 * 1024)
#define FIRST_BYTES   ((size_t)256 * 1024)
#define DECODER_BYTES ((uint64_t)80 << 20) /* xz -9 takes 65 MiB; what asks for more is refused */

struct unpacker {
    const struct ph_file *file;
    struct ph_range packed; /* what is still to be read */
    lzma_stream stream;
    unsigned char *input, *output;
    size_t output_bytes; /* allocated */
};

static int refill(struct unpacker *unpacker)
{
    size_t piece = unpacker->packed.size_bytes < INPUT_BYTES ? unpacker->packed.size_bytes : INPUT_BYTES;
    if (!ph_file_read(unpacker->file, unpacker->packed.offset, unpacker->input, piece))
        return -EIO;
    unpacker->packed.offset += piece;
    unpacker->packed.size_bytes -= piece;
    unpacker->stream.next_in = unpacker->input;
    unpacker->stream.avail_in = piece;
    return 0;
}

static int grow(struct unpacker *unpacker)
{
    size_t used = unpacker->output_bytes;
    size_t wanted = used ? used * 2 : FIRST_BYTES;
    if (wanted > PH_DEBUGDATA_MAX_BYTES)
        return -EFBIG;
    unsigned char *output = realloc(unpacker->output, wanted);
    if (!output)
        return -ENOMEM;
    unpacker->output = output;
    unpacker->output_bytes = wanted;
    unpacker->stream.next_out = output + used;
    unpacker->stream.avail_out = wanted - used;
    return 0;
}

static int unpack(struct unpacker *unpacker)
{
    lzma_ret result = lzma_stream_decoder(&unpacker->stream, DECODER_BYTES, 0);
    while (result == LZMA_OK) {
        int status = 0;
        if (unpacker->stream.avail_in == 0 && unpacker->packed.size_bytes > 0)
            status = refill(unpacker);
        if (status == 0 && unpacker->stream.avail_out == 0)
            status = grow(unpacker);
        if (status < 0)
            return status;
        result = lzma_code(&unpacker->stream, unpacker->packed.size_bytes > 0 ? LZMA_RUN : LZMA_FINISH);
    }
    if (result == LZMA_MEM_ERROR || result == LZMA_MEMLIMIT_ERROR)
        return -ENOMEM;
    return result == LZMA_STREAM_END ? 0 : -EINVAL;
}

int ph_debugdata_read(struct ph_file *ret_image, const struct ph_file *file, struct ph_range packed)
{
    struct unpacker unpacker = {.file = file, .packed = packed, .stream = LZMA_STREAM_INIT};
    unpacker.input = malloc(INPUT_BYTES);
    int status = unpacker.input ? unpack(&unpacker) : -ENOMEM;
    size_t size_bytes = (size_t)unpacker.stream.total_out;
    lzma_end(&unpacker.stream);
    free(unpacker.input);
    if (status < 0)
        free(unpacker.output);
    else
        *ret_image = ph_file_over(unpacker.output, size_bytes);
    return status;
}
