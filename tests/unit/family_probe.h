/* family_probe.h - the smallest probe that lib/family needs: descriptors stay where they are. */
#ifndef PH_TESTS_FAMILY_PROBE_H
#define PH_TESTS_FAMILY_PROBE_H

#include "probe/probe.h"

static int family_probe_own_fd(int fd)
{
    return fd;
}

static const struct ph_probe family_probe = {.abi = PH_PROBE_ABI, .own_fd = family_probe_own_fd};

#endif
