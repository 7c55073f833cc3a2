// SPDX-License-Identifier: GPL-2.0
/* Polls while a signal moves between two objects: the driver was built with slow.h. */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include "waiter.h"
#include "objects.h"
#include "task.h"

/* A look at these takes longer than a move. */
#define BETWEEN	20
/* So many looks must meet a move. */
#define LOOKS	50

/*
 * The second object is signaled before the first becomes unsignaled, and the other way round.
 * So one of them is signaled at every instant, and no poll may miss both.
 */
FIXTURE(looks) {
	int dev;
	int objs[2];
	int between[BETWEEN];
	pthread_t thread;
	atomic_int moves;
	atomic_bool stop;
	int ret;
	__u32 mover;
};

FIXTURE_VARIANT(looks) {
	enum kind kind;
	bool kill;		/* mutexes are given up by mutex_kill() */
	bool full;		/* mutexes with the highest count are unsignaled for their owner */
};

FIXTURE_VARIANT_ADD(looks, semaphores) { .kind = SEM };
FIXTURE_VARIANT_ADD(looks, mutexes) { .kind = MUTEX };
FIXTURE_VARIANT_ADD(looks, dead_mutexes) { .kind = MUTEX, .kill = true };
FIXTURE_VARIANT_ADD(looks, full_mutexes) { .kind = MUTEX, .full = true };
FIXTURE_VARIANT_ADD(looks, auto_events) { .kind = AUTO_EVENT };
FIXTURE_VARIANT_ADD(looks, manual_events) { .kind = MANUAL_EVENT };

static int create(int dev, const FIXTURE_VARIANT(looks) * variant, bool signaled)
{
	switch (variant->kind) {
	case SEM:
		return sem_create(dev, signaled, 3);
	case MUTEX:
		if (variant->full)
			return mutex_create(dev, ME, UINT32_MAX - signaled);
		return mutex_create(dev, signaled ? 0 : OTHER, !signaled);
	default:
		return event_create(dev, variant->kind == MANUAL_EVENT, signaled);
	}
}

FIXTURE_SETUP(looks)
{
	self->dev = ntsync_open();
	ASSERT_LE(0, self->dev);
	for (int i = 0; i < 2; i++) {
		self->objs[i] = create(self->dev, variant, i == 0);
		ASSERT_LE(0, self->objs[i]);
	}
	ASSERT_EQ(0, create_events(self->dev, 0, self->between, BETWEEN));
	self->mover = variant->full ? ME : OTHER;
}

FIXTURE_TEARDOWN(looks)
{
	close(self->dev);
}

static int give(const FIXTURE_VARIANT(looks) * variant, int fd, __u32 owner)
{
	__u32 one = 1;

	if (variant->kind == SEM)
		return sem_release(fd, &one);
	if (variant->kind != MUTEX)
		return event_set(fd, &one);
	return variant->kill ? mutex_kill(fd, owner) : mutex_unlock(fd, owner, NULL);
}

/* The other thread may have it for a moment. */
static int take(const FIXTURE_VARIANT(looks) * variant, int dev, int fd, __u32 owner)
{
	__u32 prev;
	int ret;

	if (variant->kind == MANUAL_EVENT)
		return event_reset(fd, &prev);
	do
		ret = wait_any(dev, &fd, 1, owner, 0, 0, NULL);
	while (ret == -ETIMEDOUT);
	return ret == -EOWNERDEAD ? 0 : ret;
}

struct mover {
	FIXTURE_DATA(looks) * self;
	const FIXTURE_VARIANT(looks) * variant;
};

static void *move(void *data)
{
	FIXTURE_DATA(looks) * self = ((struct mover *)data)->self;
	const FIXTURE_VARIANT(looks) * variant = ((struct mover *)data)->variant;
	int here = 0;

	while (!self->stop && !self->ret) {
		self->ret = give(variant, self->objs[!here], self->mover) ?:
			    take(variant, self->dev, self->objs[here], self->mover);
		here = !here;
		self->moves++;
	}
	return NULL;
}

/* Returns the number of the object that satisfied the poll, or its error. */
static int look(FIXTURE_DATA(looks) * self, bool alert)
{
	int objs[BETWEEN + 2];
	__u32 index;
	int ret;

	objs[0] = self->objs[0];
	memcpy(objs + 1, self->between, sizeof(self->between));
	objs[BETWEEN + 1] = self->objs[1];
	ret = wait_any(self->dev, objs, BETWEEN + !alert + 1, ME, 0,
		       alert ? self->objs[1] : 0, &index);
	return ret && ret != -EOWNERDEAD ? ret : index > 0;
}

TEST_F(looks, miss_no_signal_that_moves)
{
	struct mover mover = { self, variant };
	__u64 begun = clock_ns(CLOCK_MONOTONIC);
	int looks = 0, met = 0;

	ASSERT_EQ(0, pthread_create(&self->thread, NULL, move, &mover));
	while (race_goes_on(begun, met >= LOOKS)) {
		int moves = self->moves, place;

		/* It is going to move to the object that the poll looks at first. */
		if (moves % 2 == 0)
			continue;
		place = look(self, looks++ % 2);
		ASSERT_LE(0, place);
		met += self->moves > moves;
		if (variant->kind != MANUAL_EVENT)
			ASSERT_EQ(0, give(variant, self->objs[place], ME));
	}
	self->stop = true;
	pthread_join(self->thread, NULL);
	EXPECT_EQ(0, self->ret);
	EXPECT_LE(LOOKS, met);
	say_done("%d of %d looks met a move", met, looks);
}

TEST_HARNESS_MAIN
