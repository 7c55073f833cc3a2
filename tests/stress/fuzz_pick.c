// SPDX-License-Identifier: GPL-2.0
/* Picks the descriptor and the argument of a call. */
#define _GNU_SOURCE
#include "fuzz.h"

const struct known nothing = { .kind = CLOSED };

/* The descriptors that all processes have. */
static struct known device_known[2], bell_known[2], pool_known[12];

void fill_shared_known(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		device_known[i] = (struct known) { DEVICE, i, 1 + i, 0, 0 };
		bell_known[i] = (struct known) { EVENT, i, 3 + i, true, i };
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(pool_known); i++)
		pool_known[i] = (struct known) {
			SEM + i % 3, i / 6, 5 + i, false, 0,
		};
}

/* Picking */

int own_fd(const struct fuzzer *f, unsigned int slot)
{
	return FD_OWN + f->thread * SLOTS + slot;
}

static struct target own_target(const struct fuzzer *f, unsigned int slot)
{
	return (struct target) { own_fd(f, slot), &f->own[slot] };
}

int pick_race_fd(struct fuzzer *f)
{
	return FD_RACE + below(&f->random, FD_RACE_END - FD_RACE);
}

static struct target pick_closed(struct fuzzer *f)
{
	static const int closed[] = { -1, INT32_MIN, INT32_MAX, 99999, FD_END };

	return (struct target) { one_of(&f->random, closed), &nothing };
}

struct target pick_any_target(struct fuzzer *f)
{
	uint32_t i, way = below(&f->random, 32);

	switch (way) {
	case 0:
		return pick_closed(f);
	case 1 ... 5:
		return (struct target) { pick_race_fd(f), NULL };
	case 6 ... 9:
		i = below(&f->random, FD_POOL_END - FD_POOL);
		return (struct target) { FD_POOL + i, &pool_known[i] };
	case 10:
		i = below(&f->random, 2);
		return (struct target) { FD_DEVICE + i, &device_known[i] };
	case 11:
		i = below(&f->random, 2);
		return (struct target) { FD_BELL + i, &bell_known[i] };
	default:
		return own_target(f, below(&f->random, SLOTS));
	}
}

/* One of the wanted kind or, if a few tries do not find one, any. */
struct target pick_target(struct fuzzer *f, enum kind kind)
{
	struct target target;

	if (kind == DEVICE && one_in(&f->random, 2)) {
		unsigned int i = below(&f->random, 2);

		return (struct target) { FD_DEVICE + i, &device_known[i] };
	}
	for (int tries = 0; tries < 12; tries++) {
		target = pick_any_target(f);
		if (target.known ? target.known->kind == kind
				 : one_in(&f->random, 16))
			break;
	}
	return target;
}

static struct target pick_object(struct fuzzer *f, unsigned int instance)
{
	struct target target;

	for (int tries = 0; tries < 12; tries++) {
		target = pick_any_target(f);
		if (target.known && target.known->kind >= SEM &&
		    target.known->instance == instance)
			break;
	}
	return target;
}

static uint32_t pick_word(struct fuzzer *f)
{
	static const uint32_t words[] = {
		0, 0, 1, 1, 1, 2, 2, 3, INT32_MAX, 0x80000000, UINT32_MAX - 1,
		UINT32_MAX,
	};

	return one_in(&f->random, 16) ? draw(&f->random)
				      : one_of(&f->random, words);
}

/* A small range, so they collide. */
static uint32_t pick_owner(struct fuzzer *f)
{
	static const uint32_t owners[] = { 1, 1, 1, 2, 2, 3, UINT32_MAX };

	return one_in(&f->random, 24) ? 0 : one_of(&f->random, owners);
}

/* Filling arguments */

void fill_words(struct fuzzer *f, struct attempt *a)
{
	a->words[0] = pick_word(f);
	a->words[1] = pick_word(f);
	switch (a->operation) {
	case CREATE_SEM:
		if (a->words[1] && !one_in(&f->random, 8))
			a->words[0] %= a->words[1];
		break;
	case CREATE_MUTEX:
		a->words[0] = pick_owner(f);
		if (!a->words[0] != !a->words[1] && !one_in(&f->random, 8))
			a->words[1] = a->words[0];
		break;
	case MUTEX_UNLOCK:
	case MUTEX_KILL:
		a->words[0] = pick_owner(f);
		break;
	default:
		break;
	}
}

/* The bell ends waits without a timeout. */
static void add_bell(struct fuzzer *f, struct attempt *a, unsigned int instance)
{
	struct target bell = {
		FD_BELL + instance % 2, &bell_known[instance % 2],
	};

	if (a->operation == WAIT_FOR_ANY && a->wait.count &&
	    a->wait.count <= NTSYNC_MAX_WAIT_COUNT && one_in(&f->random, 2)) {
		a->objs[below(&f->random, a->wait.count)] = bell;
		return;
	}
	a->alert = bell;
	a->wait.alert = bell.fd;
}

static void fill_timeout(struct fuzzer *f, struct attempt *a,
			 unsigned int instance)
{
	bool realtime = a->wait.flags & NTSYNC_WAIT_REALTIME;
	uint64_t now = clock_ns(realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC);

	a->past = false;
	switch (below(&f->random, 64)) {
	case 0:
		if (instance > 1)
			break;
		a->wait.timeout = one_in(&f->random, 2) ?
				  FOREVER : INT64_MAX + (uint64_t)1 +
					    draw(&f->random);
		add_bell(f, a, instance);
		return;
	case 1 ... 7:
		a->wait.timeout = now + below(&f->random, 1000000);
		return;
	case 8 ... 15:
		a->wait.timeout = now;
		a->past = true;
		return;
	default:
		break;
	}
	a->wait.timeout = one_in(&f->random, 2) ? 0 : draw(&f->random) % now;
	a->past = true;
}

static uint32_t pick_count(struct fuzzer *f)
{
	switch (below(&f->random, 32)) {
	case 0:
		return 0;
	case 1:
		return NTSYNC_MAX_WAIT_COUNT;
	case 2:
		return NTSYNC_MAX_WAIT_COUNT + 1;
	case 3:
		return pick_word(f);
	case 4 ... 5:
		return below(&f->random, NTSYNC_MAX_WAIT_COUNT);
	case 6 ... 18:
		return 1;
	default:
		return 1 + below(&f->random, 8);
	}
}

static void fill_array(struct fuzzer *f, struct attempt *a)
{
	uint32_t fds[MOST_OBJECTS], n = a->wait.count;

	if (n > MOST_OBJECTS)
		n = MOST_OBJECTS;
	for (uint32_t i = 0; i < n; i++)
		fds[i] = a->objs[i].fd;
	a->array = place_pick(&f->array, 4 * n, &f->random);
	place_write(&a->array, fds, 4 * n);
	a->wait.objs = a->array.address;
	/* Outside the address space of a 32-bit process. */
	if (sizeof(void *) < 8 && one_in(&f->random, 64)) {
		a->array.garbage = true;
		a->wait.objs |= (uint64_t)1 << 32;
	}
}

void fill_wait(struct fuzzer *f, struct attempt *a)
{
	unsigned int instance = a->on.known ? a->on.known->instance : 0;

	a->wait = (struct ntsync_wait_args) {
		.count = pick_count(f),
		.index = draw(&f->random),
		.flags = one_in(&f->random, 8) ? NTSYNC_WAIT_REALTIME : 0,
		.owner = pick_owner(f),
	};
	for (uint32_t i = 0; i < a->wait.count && i < MOST_OBJECTS; i++)
		a->objs[i] = pick_object(f, instance);
	if (one_in(&f->random, 6)) {
		a->alert = pick_object(f, instance);
		a->wait.alert = a->alert.fd;
	}
	fill_timeout(f, a, instance);
	if (one_in(&f->random, 48))
		a->wait.flags ^= 1u << (1 + below(&f->random, 31));
	if (one_in(&f->random, 48))
		a->wait.pad = pick_word(f);
	fill_array(f, a);
	place_write(&a->arg, &a->wait, sizeof(a->wait));
}
