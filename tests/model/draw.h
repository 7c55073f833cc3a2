/* SPDX-License-Identifier: GPL-2.0 */
/* Random numbers and choices; the same seed gives the same ones on every machine. */
#ifndef NTSYNC_DRAW_H
#define NTSYNC_DRAW_H

#include <stdbool.h>
#include <stdint.h>
#include "model.h"

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

/* Fills @order with the numbers below @n, in any order. */
static inline void draw_order(uint64_t *state, uint8_t *order, int n)
{
	for (int i = 0; i < n; i++) {
		int j = draw_below(state, i + 1);

		order[i] = order[j];
		order[j] = i;
	}
}

/* An operation for objects of this type. */
static inline enum model_op draw_op(uint64_t *state, enum model_type type)
{
	static const enum model_op first[] = {
		[MODEL_SEM] = MODEL_SEM_RELEASE,
		[MODEL_MUTEX] = MODEL_MUTEX_UNLOCK,
		[MODEL_EVENT] = MODEL_EVENT_SET,
		MODEL_OPS,
	};

	return first[type] + draw_below(state, first[type + 1] - first[type]);
}

#endif /* NTSYNC_DRAW_H */
