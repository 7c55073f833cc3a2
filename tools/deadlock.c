// SPDX-License-Identifier: GPL-2.0
/*
 * Which waits can never end?
 *
 * An owner is the caller's name for a thread.  A wait is stuck if only mutexes
 * of stuck owners can end it, and an owner is stuck if all its known waits are
 * stuck.  So at first all waits without a deadline or an alert are suspected.
 * Then each one that a thread that is not suspected can end is dropped, one
 * after the other.  The waits that remain block one another forever.
 *
 * Three readings prove that, although none of them is made in one instant.
 * Serial numbers of waits are never reused, so a wait that is in the first and
 * in the third reading lasted throughout the second.  If its owner had a mutex
 * in the second, that owner could not unlock it before the second ended.  At that
 * instant all these waits lasted and all these mutexes were owned.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include "deadlock.h"
#include "util.h"

struct owner {
	unsigned int instance;
	unsigned int id;
	struct wait **waits;
	size_t nr_waits;
	bool stuck;
};

struct search {
	struct snapshot *snapshot;
	struct wait **waits;	/* by owner */
	struct owner *owners;
	size_t nr_owners;
	bool strict;		/* look for deadlocks, not for any cycle */
	unsigned int cycles;
};

static int compare_owners(const void *a, const void *b)
{
	const struct owner *x = a, *y = b;

	if (x->instance != y->instance)
		return x->instance < y->instance ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int order_by_owner(const void *a, const void *b)
{
	const struct wait *x = *(void * const *)a, *y = *(void * const *)b;
	const struct owner of_x = { .instance = x->instance, .id = x->owner };
	const struct owner of_y = { .instance = y->instance, .id = y->owner };
	int order = compare_owners(&of_x, &of_y);

	return order ? order : x->serial < y->serial ? -1 : x->serial > y->serial;
}

static void collect_owners(struct search *search)
{
	const struct snapshot *snapshot = search->snapshot;
	struct owner *last = NULL;
	struct wait *wait;
	size_t i;

	search->waits = allocate((snapshot->nr_waits + 1) * sizeof(wait));
	search->owners = allocate((snapshot->nr_waits + 1) * sizeof(*last));
	for (i = 0; i < snapshot->nr_waits; i++)
		search->waits[i] = snapshot->waits[i];
	qsort(search->waits, snapshot->nr_waits, sizeof(wait), order_by_owner);
	for (i = 0; i < snapshot->nr_waits; i++) {
		wait = search->waits[i];
		if (!last || last->instance != wait->instance ||
		    last->id != wait->owner) {
			last = &search->owners[search->nr_owners++];
			last->instance = wait->instance;
			last->id = wait->owner;
			last->waits = &search->waits[i];
		}
		last->nr_waits++;
	}
}

/* The owner that keeps this object from the wait, if that owner waits. */
static struct owner *find_blocker(const struct search *search,
				  const struct wait *wait,
				  const struct link *link)
{
	const struct object *object = link->object;
	struct owner key = { .instance = wait->instance, .id = object->owner };

	/* An alert blocks nothing, and an owner may acquire its mutex again. */
	if (link->index >= wait->objects || object->type != TYPE_MUTEX ||
	    !object->owner || object->owner == wait->owner)
		return NULL;
	return bsearch(&key, search->owners, search->nr_owners, sizeof(key),
		       compare_owners);
}

static size_t count_blocked(const struct search *search,
			    const struct wait *wait)
{
	struct owner *owner;
	size_t i, count = 0;

	for (i = 0; i < wait->nr_links; i++) {
		owner = find_blocker(search, wait, &wait->links[i]);
		count += owner && owner->stuck;
	}
	return count;
}

/* A wait-for-any needs only one of its objects, visible or not. */
static bool is_blocked(const struct search *search, const struct wait *wait)
{
	size_t blocked = count_blocked(search, wait);

	if (search->strict && !wait->all)
		return blocked && blocked >= wait->objects;
	return blocked;
}

static void judge_owner(const struct search *search, struct owner *owner)
{
	size_t i, candidates = 0;

	for (i = 0; i < owner->nr_waits; i++)
		candidates += owner->waits[i]->candidate;
	owner->stuck = search->strict ? candidates == owner->nr_waits :
					candidates;
}

/* Drops candidates until everything that the others need is among them. */
static void narrow(struct search *search)
{
	const struct snapshot *snapshot = search->snapshot;
	struct wait *wait;
	bool dropped;
	size_t i;

	do {
		dropped = false;
		for (i = 0; i < search->nr_owners; i++)
			judge_owner(search, &search->owners[i]);
		for (i = 0; i < snapshot->nr_waits; i++) {
			wait = snapshot->waits[i];
			if (wait->candidate && !is_blocked(search, wait)) {
				wait->candidate = false;
				dropped = true;
			}
		}
	} while (dropped);
}

static struct wait *first_candidate(const struct owner *owner)
{
	size_t i = 0;

	while (!owner->waits[i]->candidate)
		i++;
	return owner->waits[i];
}

/* The first way from a candidate to another: it ends in a cycle too. */
static void link_candidate(const struct search *search, struct wait *wait)
{
	struct owner *owner;
	size_t i;

	for (i = 0; i < wait->nr_links; i++) {
		owner = find_blocker(search, wait, &wait->links[i]);
		if (owner && owner->stuck) {
			wait->through = &wait->links[i];
			wait->next = first_candidate(owner);
			return;
		}
	}
}

/* Follows the ways from @wait to a cycle, which may be known already. */
static void find_cycle(struct search *search, struct wait *wait)
{
	const unsigned int visited = -1;
	struct wait *first = wait;
	unsigned int cycle;

	for (; !wait->cycle; wait = wait->next)
		wait->cycle = visited;
	cycle = wait->cycle;
	if (cycle == visited) {
		cycle = ++search->cycles;
		for (; wait->cycle == visited; wait = wait->next) {
			wait->cycle = cycle;
			wait->verdict = search->strict ? VERDICT_DEADLOCK :
							 VERDICT_CIRCULAR;
			wait->through->object->deadlocked = search->strict;
		}
	}
	for (wait = first; wait->cycle == visited; wait = wait->next) {
		wait->cycle = cycle;
		wait->verdict = search->strict ? VERDICT_BEHIND : VERDICT_NONE;
	}
}

static void find_cycles(struct search *search)
{
	const struct snapshot *snapshot = search->snapshot;
	size_t i;

	narrow(search);
	for (i = 0; i < snapshot->nr_waits; i++)
		if (snapshot->waits[i]->candidate)
			link_candidate(search, snapshot->waits[i]);
	for (i = 0; i < snapshot->nr_waits; i++)
		if (snapshot->waits[i]->candidate)
			find_cycle(search, snapshot->waits[i]);
}

/* Marks the objects of circular waits by which they may end. */
static void find_ways_out(struct search *search)
{
	const struct snapshot *snapshot = search->snapshot;
	struct owner *owner;
	struct wait *wait;
	struct link *link;
	size_t i, j;

	for (i = 0; i < search->nr_owners; i++)
		judge_owner(search, &search->owners[i]);
	for (i = 0; i < snapshot->nr_waits; i++) {
		wait = snapshot->waits[i];
		for (j = 0; j < wait->nr_links; j++) {
			link = &wait->links[j];
			owner = find_blocker(search, wait, link);
			link->open = !wait->all && link->index < wait->objects &&
				     !(owner && owner->stuck);
		}
	}
}

/**
 * find_deadlocks() - give each wait its verdict
 * @snapshot: the reading to judge
 * @before: one that ended before it began
 * @after: one that began after it ended
 *
 * Return: the number of cycles, first the deadlocks, then the circular waits
 *	that something can end.
 */
unsigned int find_deadlocks(struct snapshot *snapshot,
			    const struct snapshot *before,
			    const struct snapshot *after)
{
	struct search search = { .snapshot = snapshot, .strict = true };
	struct wait *wait;
	size_t i;

	collect_owners(&search);
	for (i = 0; i < snapshot->nr_waits; i++) {
		wait = snapshot->waits[i];
		wait->lasting = find_wait(before, wait->serial) &&
				find_wait(after, wait->serial);
		wait->candidate = wait->lasting && !wait->deadline &&
				  !wait->alert;
	}
	find_cycles(&search);

	search.strict = false;
	for (i = 0; i < snapshot->nr_waits; i++) {
		wait = snapshot->waits[i];
		wait->candidate = wait->lasting && !wait->verdict;
	}
	find_cycles(&search);

	for (i = 0; i < snapshot->nr_waits; i++) {
		wait = snapshot->waits[i];
		wait->candidate = wait->verdict;
	}
	find_ways_out(&search);
	free(search.waits);
	free(search.owners);
	return search.cycles;
}
