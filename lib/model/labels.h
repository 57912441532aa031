/* labels.h - the labels of samples that tell whose memory it is; the names are part of the contract. All are texts. */
#ifndef PH_MODEL_LABELS_H
#define PH_MODEL_LABELS_H

#define PH_LABEL_PID       "pid"       /* the process that holds it; only where a profile covers several */
#define PH_LABEL_ORIGIN    "origin"    /* PH_LABEL_INHERITED, or not there */
#define PH_LABEL_INHERITED "inherited" /* allocated by an ancestor before it forked */

/* Which process took the sample, in decimal; "0" for the founder of a family. On every sample of the form that members send
 * one another, and nowhere else. */
#define PH_LABEL_ORIGIN_PID "origin_pid"

#endif
