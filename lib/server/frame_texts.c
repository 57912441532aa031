#include "server/frame_texts.h"

#include <stdlib.h>

void ph_frame_texts_init(struct ph_frame_texts *texts, const struct ph_profile *dump, ph_frame_write *write,
                         struct ph_buf *out)
{
    *texts = (struct ph_frame_texts){dump, write, out, NULL};
    texts->places = calloc(2 * ((size_t)dump->location_count + 1), sizeof(*texts->places));
}

void ph_frame_texts_fini(struct ph_frame_texts *texts)
{
    free(texts->places);
    texts->places = NULL;
}

static void write_frame(const struct ph_frame_texts *texts, const struct ph_thread_row *row, uint32_t index)
{
    struct ph_shown_frame frame = ph_thread_row_frame(texts->dump, row, index);
    texts->write(&frame, texts->out);
}

/* Room comes first: it may move the bytes that are to be copied. */
static void copy(struct ph_buf *out, const struct ph_frame_text *place)
{
    if (ph_buf_reserve(out, place->size_bytes) == 0)
        ph_buf_append(out, out->data + place->offset, place->size_bytes);
}

void ph_frame_texts_add(struct ph_frame_texts *texts, const struct ph_thread_row *row, uint32_t index)
{
    uint32_t location = texts->dump->frames[row->sample->first_frame + index];
    struct ph_frame_text *place = texts->places ? &texts->places[2 * (size_t)location + (index > 0)] : NULL;
    if (place && place->size_bytes) {
        copy(texts->out, place);
        return;
    }
    size_t offset = texts->out->size_bytes;
    write_frame(texts, row, index);
    if (place)
        *place = (struct ph_frame_text){offset, texts->out->size_bytes - offset};
}
