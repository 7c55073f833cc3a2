/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An instance with objects in typical states.  The states are recorded, and compared after a
 * call that failed.
 */
#ifndef NTSYNC_WORLD_H
#define NTSYNC_WORLD_H

#include <stdio.h>
#include <string.h>
#include "objects.h"

enum thing {
	THE_SEM,	/* count 1, max 3 */
	THE_MUTEX,	/* owned by ME, twice */
	DEAD_MUTEX,	/* abandoned */
	AUTO_SET,
	MANUAL_UNSET,
	THINGS,
	THE_DEVICE = THINGS,
};

struct world {
	int dev;
	struct object object[THINGS];
	struct state state[THINGS];
	int descriptors;
	int next_descriptor;
};

static inline int world_fd(const struct world *world, enum thing thing)
{
	return thing == THE_DEVICE ? world->dev : world->object[thing].fd;
}

/* The lowest free number.  One that is reserved, but has no file, is not in /proc. */
static inline int next_descriptor(const struct world *world)
{
	int fd = dup(world->dev);

	if (fd < 0)
		return -errno;
	close(fd);
	return fd;
}

/* Records the current state of everything. */
static inline void world_remember(struct world *world)
{
	int i;

	for (i = 0; i < THINGS; i++)
		world->state[i] = object_state(world->object[i]);
	world->descriptors = open_descriptors();
	world->next_descriptor = next_descriptor(world);
}

static inline int world_create(struct world *world)
{
	int i, dev = ntsync_open();

	if (dev < 0)
		return dev;
	world->dev = dev;
	world->object[THE_SEM] = (struct object) {
		SEM, sem_create(dev, 1, 3),
	};
	world->object[THE_MUTEX] = (struct object) {
		MUTEX, mutex_create(dev, ME, 2),
	};
	world->object[DEAD_MUTEX] = (struct object) {
		MUTEX, mutex_create(dev, OTHER, 1),
	};
	world->object[AUTO_SET] = (struct object) {
		AUTO_EVENT, event_create(dev, 0, 1),
	};
	world->object[MANUAL_UNSET] = (struct object) {
		MANUAL_EVENT, event_create(dev, 1, 0),
	};
	for (i = 0; i < THINGS; i++)
		if (world->object[i].fd < 0)
			return world->object[i].fd;
	if (mutex_kill(world->object[DEAD_MUTEX].fd, OTHER))
		return -EINVAL;
	world_remember(world);
	return 0;
}

static inline void world_destroy(struct world *world)
{
	int i;

	for (i = 0; i < THINGS; i++)
		close(world->object[i].fd);
	close(world->dev);
}

/* Prints what has changed, and returns how many changes there are. */
static inline int world_changes(const struct world *world)
{
	int i, now = open_descriptors(), next = next_descriptor(world), changes = 0;

	if (now != world->descriptors) {
		fprintf(stderr, "# %d descriptors, %d before\n", now,
			world->descriptors);
		changes++;
	}
	if (next != world->next_descriptor) {
		fprintf(stderr, "# the next descriptor is %d, was %d before\n", next,
			world->next_descriptor);
		changes++;
	}
	for (i = 0; i < THINGS; i++) {
		struct state before = world->state[i];
		struct state after = object_state(world->object[i]);

		if (!memcmp(&before, &after, sizeof(after)))
			continue;
		fprintf(stderr, "# object %d: %d %u %u, before %d %u %u\n", i,
			after.error, after.first, after.second, before.error,
			before.first, before.second);
		changes++;
	}
	return changes;
}

#define EXPECT_NO_CHANGE(the_world) EXPECT_EQ(0, world_changes(the_world))

#endif /* NTSYNC_WORLD_H */
