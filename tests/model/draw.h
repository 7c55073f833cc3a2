/* SPDX-License-Identifier: GPL-2.0 */
/* Random numbers, the same from the same start on every machine. */
#ifndef NTSYNC_DRAW_H
#define NTSYNC_DRAW_H

#include <stdbool.h>
#include <stdint.h>

static inline uint64_t draw(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static inline uint32_t draw_below(uint64_t *state, uint32_t n)
{
	return draw(state) % n;
}

static inline bool one_in(uint64_t *state, uint32_t n)
{
	return !draw_below(state, n);
}

#endif /* NTSYNC_DRAW_H */
