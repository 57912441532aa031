/*
 * sample_wire.h - the one message that is packed by hand: Profile.sample.
 *
 * A heap profile has one for each stack. protobuf-c walks its descriptors three times for each of them: at 100,000
 * stacks it took 20 ms of the 170 that reading and writing take, against 4 here. Labels, which heap profiles do
 * not have, still go through protobuf-c.
 */
#ifndef PH_MODEL_SAMPLE_WIRE_H
#define PH_MODEL_SAMPLE_WIRE_H

#include "base/buf.h"
#include "model/profile.h"

/** ph_sample_pack() - append sample @sample as a field of Profile: tag, length, message. Failure is @out's. */
void ph_sample_pack(const struct ph_profile *profile, uint32_t sample, struct ph_buf *out);

#endif
