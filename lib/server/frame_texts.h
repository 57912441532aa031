/*
 * frame_texts.h - the frames of a dump as text. Threads have most of theirs in common: each is made once, and copied from where it
 * stands in what is being written from then on. One thread at a time.
 */
#ifndef PH_SERVER_FRAME_TEXTS_H
#define PH_SERVER_FRAME_TEXTS_H

#include "base/buf.h"
#include "server/threads_view.h"

typedef void ph_frame_write(const struct ph_shown_frame *frame, struct ph_buf *out);

struct ph_frame_texts {
    const struct ph_profile *dump;
    ph_frame_write *write; /* appends one frame, and looks at nothing else */
    struct ph_buf *out;    /* only appended to meanwhile */
    struct ph_frame_text {
        size_t offset, size_bytes; /* in out; 0: not written yet */
    } * places; /* of each location as a leaf and as a caller; NULL without memory: each is made anew */
};

/** ph_frame_texts_init() - @dump and @out must outlive it. */
void ph_frame_texts_init(struct ph_frame_texts *texts, const struct ph_profile *dump, ph_frame_write *write,
                         struct ph_buf *out);
void ph_frame_texts_fini(struct ph_frame_texts *texts);

/** ph_frame_texts_add() - append frame @index of @row->sample->frame_count. */
void ph_frame_texts_add(struct ph_frame_texts *texts, const struct ph_thread_row *row, uint32_t index);

#endif
