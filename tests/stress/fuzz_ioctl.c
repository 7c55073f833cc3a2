// SPDX-License-Identifier: GPL-2.0
/* Ioctls: those of the interface, and others. */
#define _GNU_SOURCE
#include <sys/ioctl.h>
#include "fuzz.h"

static void keep_created(struct fuzzer *f, const struct attempt *a, int fd)
{
	struct known known = {
		.kind = SEM + a->operation - CREATE_SEM,
		.id = f->last_id++,
		.limit_known = a->operation != CREATE_MUTEX,
		.limit = a->words[1],
	};

	if (a->operation == CREATE_EVENT)
		known.limit = !!a->words[0];
	if (a->on.known)
		known.instance = a->on.known->instance;
	keep(f, fd, a->on.known ? &known : NULL);
}

static void do_ioctl(struct fuzzer *f, struct attempt *a, uint32_t size)
{
	int ret, error;

	kcov_begin(&f->kcov);
	ret = ioctl(a->on.fd, (unsigned long)a->number, a->arg.address);
	error = ret < 0 ? errno : 0;
	kcov_end(&f->kcov, &control->kcov);

	count(&f->shared->tally, a->operation, error);
	check_answer(f, a, error);
	if (!place_intact(&a->arg, size) ||
	    (a->operation <= WAIT_FOR_ALL && a->operation >= WAIT_FOR_ANY &&
	     !place_intact(&a->array, 4 * MOST_OBJECTS)))
		wrong(f, "%s (errno %d) changed memory that is not its own",
		      operation_name[a->operation], error);
	if (ret >= 0 && a->operation <= CREATE_EVENT)
		keep_created(f, a, ret);
}

void known_ioctl(struct fuzzer *f)
{
	struct attempt a = { .operation = below(&f->random, KNOWN) };
	uint32_t size;

	if (one_in(&f->random, 3))
		a.operation = WAIT_FOR_ANY + below(&f->random, 2);
	size = ioctls[a.operation].size;
	a.number = ioctls[a.operation].number;
	a.on = one_in(&f->random, 12) ? pick_any_target(f)
				      : pick_target(f, ioctls[a.operation].on);
	a.arg = place_pick(&f->arg, size, &f->random);
	if (a.operation == WAIT_FOR_ANY || a.operation == WAIT_FOR_ALL) {
		fill_wait(f, &a);
	} else {
		fill_words(f, &a);
		place_write(&a.arg, a.words, size);
	}
	do_ioctl(f, &a, size);
}

static bool is_known_number(unsigned int number)
{
	for (size_t i = 0; i < ARRAY_SIZE(ioctls); i++)
		if (ioctls[i].number == number)
			return true;
	return false;
}

static unsigned int pick_near_number(struct fuzzer *f)
{
	unsigned int number = ioctls[below(&f->random, KNOWN)].number;

	switch (below(&f->random, 3)) {
	case 0:
		return number ^ 1u << below(&f->random, 32);
	case 1:
		return (number & ~0xffu) | (0x80 + below(&f->random, 16));
	default:
		return _IOC(below(&f->random, 4), 'N', below(&f->random, 256),
			    4 * below(&f->random, 16));
	}
}

/* Numbers that the driver does not know, and a few that all files do. */
void unknown_ioctl(struct fuzzer *f)
{
	static const unsigned int generic[] = {
		FIOCLEX, FIONCLEX, FIONBIO, FIOASYNC,
	};
	struct attempt a = { .operation = NEAR + below(&f->random, 3) };

	do {
		a.number = a.operation == NEAR ? pick_near_number(f) :
			   a.operation == RANDOM ? draw(&f->random) :
						   one_of(&f->random, generic);
	} while (is_known_number(a.number));
	do {
		a.on = pick_any_target(f);
	} while (a.operation == GENERIC && a.on.fd >= 0 && a.on.fd < FD_RACE);
	a.arg = place_pick(&f->arg, 40, &f->random);
	do_ioctl(f, &a, 40);
}
