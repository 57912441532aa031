/* family_answer.h - what a process says of its family: the JSON of /debug/processes. */
#ifndef PH_TOOLS_FAMILY_ANSWER_H
#define PH_TOOLS_FAMILY_ANSWER_H

#include "base/error.h"
#include "tools/families.h"

#include <stddef.h>
#include <sys/types.h>

struct ph_family_answer {
    void *root, *rows; /* json_t */
    size_t count;      /* of rows */
    pid_t front;       /* of the family; of one that names no front, its first process */
};

/** ph_family_answer_parse() - the answer of process @pid. 0; -EPROTO if it is no such JSON, or does not list that process.
 * Release with ph_family_answer_fini(). */
int ph_family_answer_parse(const char *json, size_t size_bytes, pid_t pid, struct ph_family_answer *ret_answer,
                           struct ph_error *error);
void ph_family_answer_fini(struct ph_family_answer *answer);

/** ph_family_answer_pid() - of a row; 0 if it has none that can be. */
pid_t ph_family_answer_pid(const struct ph_family_answer *answer, size_t row);

/** ph_family_answer_take() - what a row tells, into its instance; pid and error are kept. */
void ph_family_answer_take(const struct ph_family_answer *answer, size_t row, struct ph_instance *instance);

#endif
