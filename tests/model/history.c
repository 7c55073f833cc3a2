// SPDX-License-Identifier: GPL-2.0
/*
 * Does the model explain a history?  The search tries every call that could
 * have been the next step, goes on from there, and turns back where nothing
 * fits.  It remembers where it has been: two ways that have made the same calls
 * and left the objects alike go on alike.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include "history.h"

#define NOTHING		(-1)
#define PLACES		0x10000

/*
 * A point of the search.
 * @made: which calls have had their effect, one bit each
 * @pulse: the pulse, a call, that is serving waits, or NOTHING
 */
struct point {
	uint32_t made;
	int pulse;
	struct model_obj obj[HISTORY_OBJECTS];
};

/* A point without the bytes that do not matter. */
struct key {
	uint32_t round;
	uint32_t made;
	uint32_t pulse;
	uint32_t obj[HISTORY_OBJECTS][3];
};

static struct key visited[PLACES];
static uint32_t visited_count, search_round;

static struct key key_of(const struct history *history,
			 const struct point *point)
{
	struct key key;

	memset(&key, 0, sizeof(key));
	key.round = search_round;
	key.made = point->made;
	key.pulse = point->pulse;
	for (int i = 0; i < history->objects; i++) {
		key.obj[i][0] = point->obj[i].count;
		key.obj[i][1] = point->obj[i].owner;
		key.obj[i][2] = point->obj[i].abandoned * 2 +
				point->obj[i].signaled;
	}
	return key;
}

static uint32_t hash(const struct key *key)
{
	const uint32_t *words = (const uint32_t *)key;
	uint32_t hash = 0;

	for (size_t i = 0; i < sizeof(*key) / sizeof(*words); i++)
		hash = (hash ^ words[i]) * 0x9e3779b1 ^ hash >> 15;
	return hash;
}

/* Whether the search has been here; from now on it has. */
static bool visit(const struct history *history, const struct point *point)
{
	struct key key = key_of(history, point);
	uint32_t place = hash(&key) % PLACES;

	while (visited[place].round == search_round) {
		if (!memcmp(&visited[place], &key, sizeof(key)))
			return true;
		place = (place + 1) % PLACES;
	}
	/* When the table is nearly full the search is slow, not wrong. */
	if (visited_count < PLACES / 4 * 3) {
		visited[place] = key;
		visited_count++;
	}
	return false;
}

static bool is_made(const struct point *point, int call)
{
	return point->made & 1U << call;
}

/* Calls that begin after the end of one that is not through come after it. */
static uint32_t earliest_end(const struct history *history,
			     const struct point *point)
{
	uint32_t earliest = UINT32_MAX;

	for (int i = 0; i < history->calls; i++)
		if ((!is_made(point, i) || i == point->pulse) &&
		    history->call[i].ended < earliest)
			earliest = history->call[i].ended;
	return earliest;
}

static bool same_answer(struct model_answer a, struct model_answer b)
{
	return a.ret == b.ret && a.value[0] == b.value[0] &&
	       a.value[1] == b.value[1];
}

static bool acquired(const struct history_call *call)
{
	return !call->answer.ret || call->answer.ret == -EOWNERDEAD;
}

static bool served_as_all(const struct point *point,
			  const struct history_call *call)
{
	return call->args.all && model_all_signaled(point->obj, &call->args);
}

/*
 * The wait that must be served at this point because it is known to be asleep
 * and could be satisfied: the first of them, or NOTHING.
 */
static int must_serve(const struct history *history, const struct point *point)
{
	int first = NOTHING;

	for (int i = 0; i < history->calls; i++) {
		const struct history_call *call = &history->call[i], *other;

		if (!call->place || is_made(point, i) ||
		    model_satisfying(point->obj, &call->args) < 0)
			continue;
		if (first == NOTHING) {
			first = i;
			continue;
		}
		other = &history->call[first];
		if (served_as_all(point, call) != served_as_all(point, other) ?
		    served_as_all(point, call) : call->place < other->place)
			first = i;
	}
	return first;
}

/* May this call be the next, seen from those that are known to be asleep? */
static bool allowed(const struct history *history, const struct point *point,
		    int call, int must)
{
	const struct history_call *other = &history->call[call];

	if (must == NOTHING || must == call)
		return true;
	/* One that queued meanwhile goes ahead of a wait-for-any only. */
	return other->wait && other->sleeps && !other->place &&
	       acquired(other) && served_as_all(point, other) &&
	       !served_as_all(point, &history->call[must]);
}

/* The step of a wait, if the answer that it got fits. */
static bool make_wait(struct point *point, const struct history_call *call)
{
	int index = model_satisfying(point->obj, &call->args);

	/* Who was not known to sleep may not have queued yet. */
	if (call->answer.ret == -EINTR)
		return !call->place || index < 0;
	if (call->answer.ret == -ETIMEDOUT)
		return index < 0;
	return index >= 0 &&
	       same_answer(model_take(point->obj, &call->args, index),
			   call->answer);
}

/* The step of a call, if the answer that it got fits. */
static bool make(struct point *point, const struct history_call *call,
		 int number)
{
	point->made |= 1U << number;
	if (point->pulse != NOTHING)
		return call->wait && call->sleeps && acquired(call) &&
		       make_wait(point, call);
	if (call->wait)
		return make_wait(point, call);
	if (call->op == MODEL_EVENT_PULSE)
		point->pulse = number;
	return same_answer(model_step(&point->obj[call->obj], call->op,
				      call->arg), call->answer);
}

static bool search(const struct history *history, const struct point *point)
{
	uint32_t end = earliest_end(history, point);
	int must = must_serve(history, point);

	if (end == UINT32_MAX)
		return true;
	if (visit(history, point))
		return false;
	if (point->pulse != NOTHING && must == NOTHING) {
		struct point next = *point;

		next.obj[history->call[next.pulse].obj].signaled = false;
		next.pulse = NOTHING;
		if (search(history, &next))
			return true;
	}
	for (int i = 0; i < history->calls; i++) {
		struct point next = *point;

		if (!is_made(point, i) && history->call[i].began <= end &&
		    allowed(history, point, i, must) &&
		    make(&next, &history->call[i], i) &&
		    search(history, &next))
			return true;
	}
	return false;
}

bool history_explained(const struct history *history)
{
	struct point start = { .pulse = NOTHING };

	memcpy(start.obj, history->obj, sizeof(start.obj));
	search_round++;
	visited_count = 0;
	return search(history, &start);
}
