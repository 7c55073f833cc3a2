// SPDX-License-Identifier: GPL-2.0
/*
 * lsntsync's search for deadlocks against a simulation: in random worlds, which
 * threads still wait after all threads that can go on have done so?
 */
#include <stdlib.h>
#include <string.h>
#include "kselftest_harness.h"
#include "../../tools/deadlock.h"

#define WORLDS		100000
#define MOST_OBJECTS	6
#define MOST_WAITS	6
#define MOST_LINKS	3

struct world {
	struct object objects[MOST_OBJECTS];
	struct wait waits[MOST_WAITS];
	struct link links[MOST_WAITS][MOST_LINKS];
	struct wait *list[MOST_WAITS];
	struct snapshot snapshot;
	bool ended[MOST_WAITS];
	bool lasting[MOST_WAITS];
};

static struct world world;
static unsigned int seed;

static unsigned int below(unsigned int limit)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 16) % limit;
}

/* One in @of is true. */
static bool chance(unsigned int of)
{
	return !below(of);
}

/* What find_deadlocks() asks of the two other readings. */
const struct wait *find_wait(const struct snapshot *snapshot,
			     unsigned long long serial)
{
	(void)snapshot;
	return world.lasting[serial] ? &world.waits[serial] : NULL;
}

/* Most are mutexes of owners that wait, or cycles would be rare. */
static void make_object(struct object *object, unsigned int i)
{
	object->instance = 1;
	object->id = i + 1;
	object->type = chance(8) ? TYPE_EVENT : TYPE_MUTEX;
	if (object->type == TYPE_MUTEX && !chance(20))
		object->owner = 1 + below(world.snapshot.nr_waits + chance(4));
}

static void make_wait(unsigned int i, unsigned int nr_objects)
{
	struct wait *wait = &world.waits[i];
	unsigned int j;

	wait->serial = i;
	wait->instance = 1;
	wait->owner = chance(8) ? 1 + below(world.snapshot.nr_waits) : i + 1;
	wait->all = chance(2);
	wait->deadline = chance(20);
	wait->alert = chance(20);
	wait->nr_links = 1 + (chance(2) ? below(MOST_LINKS) : 0);
	wait->objects = wait->nr_links + chance(20);
	wait->links = world.links[i];
	for (j = 0; j < wait->nr_links; j++) {
		wait->links[j].object = &world.objects[below(nr_objects)];
		wait->links[j].index = j;
	}
	world.lasting[i] = !chance(30);
	world.list[i] = wait;
}

static void make_world(void)
{
	unsigned int i, nr_objects = 1 + below(MOST_OBJECTS);

	memset(&world, 0, sizeof(world));
	world.snapshot.waits = world.list;
	world.snapshot.nr_waits = 1 + below(MOST_WAITS);
	for (i = 0; i < nr_objects; i++)
		make_object(&world.objects[i], i);
	for (i = 0; i < world.snapshot.nr_waits; i++)
		make_wait(i, nr_objects);
}

/* An owner who waits nowhere, or whose wait has ended, unlocks all it has. */
static bool goes_on(unsigned int owner)
{
	bool waits = false;
	size_t i;

	for (i = 0; i < world.snapshot.nr_waits; i++) {
		if (world.waits[i].owner != owner)
			continue;
		if (world.ended[i])
			return true;
		waits = true;
	}
	return !waits;
}

/* Sooner or later this owner could acquire it. */
static bool can_be_had(const struct object *object, unsigned int owner)
{
	return object->type != TYPE_MUTEX || !object->owner ||
	       object->owner == owner || goes_on(object->owner);
}

static bool can_end(const struct wait *wait)
{
	unsigned int had = wait->objects - wait->nr_links;	/* unseen ones */
	size_t i;

	if (wait->deadline || wait->alert || !world.lasting[wait->serial])
		return true;
	for (i = 0; i < wait->nr_links; i++)
		had += can_be_had(wait->links[i].object, wait->owner);
	return wait->all ? had == wait->objects : had;
}

static void simulate(void)
{
	bool more;
	size_t i;

	do {
		more = false;
		for (i = 0; i < world.snapshot.nr_waits; i++) {
			if (!world.ended[i] && can_end(&world.waits[i])) {
				world.ended[i] = true;
				more = true;
			}
		}
	} while (more);
}

static bool is_cyclic(const struct wait *wait)
{
	return wait->verdict == VERDICT_DEADLOCK ||
	       wait->verdict == VERDICT_CIRCULAR;
}

/* Whether the ways from a wait lead where its verdict says. */
static bool leads_to_cycle(const struct wait *wait)
{
	const struct wait *next = wait;
	size_t steps = 0;

	do {
		if (next->cycle != wait->cycle ||
		    next->through->object->owner != next->next->owner ||
		    next->owner == next->next->owner)
			return false;
		next = next->next;
		if (++steps > world.snapshot.nr_waits)
			return false;
	} while (is_cyclic(wait) ? next != wait :
				   next->verdict != VERDICT_DEADLOCK);
	return true;
}

TEST(random_worlds)
{
	unsigned int i, deadlocks = 0, behind = 0, circular = 0;
	const struct wait *wait;
	size_t j;

	for (i = 0; i < WORLDS; i++) {
		seed = i * 2654435761u;
		make_world();
		find_deadlocks(&world.snapshot, NULL, NULL);
		simulate();
		for (j = 0; j < world.snapshot.nr_waits; j++) {
			wait = &world.waits[j];
			ASSERT_EQ(!world.ended[j],
				  wait->verdict == VERDICT_DEADLOCK ||
				  wait->verdict == VERDICT_BEHIND)
				TH_LOG("world %u, wait %zu", i, j);
			if (wait->verdict)
				ASSERT_TRUE(leads_to_cycle(wait))
					TH_LOG("world %u, wait %zu", i, j);
			deadlocks += wait->verdict == VERDICT_DEADLOCK;
			behind += wait->verdict == VERDICT_BEHIND;
			circular += wait->verdict == VERDICT_CIRCULAR;
		}
	}
	/* There was something to find. */
	EXPECT_GT(deadlocks, WORLDS / 10);
	EXPECT_GT(behind, WORLDS / 100);
	EXPECT_GT(circular, WORLDS / 100);
}

TEST_HARNESS_MAIN
