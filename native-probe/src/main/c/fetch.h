/* Floor 3 */
/* The values of a hit: registers, results, and what they lead to. Hit path. */
#ifndef UP_FETCH_H
#define UP_FETCH_H

#include "probe.h"

/* Evaluates the fetches whose at_return is as asked into values[]; returns the bits of those that could not be read. */
uint16_t up_probe_fetch(const struct up_probe *probe, const struct up_regs *regs, int at_return, int64_t *values);

/* Zeroes those values instead, and returns all their bits: there was nothing to read. */
uint16_t up_probe_unread(const struct up_probe *probe, int at_return, int64_t *values);

#endif
