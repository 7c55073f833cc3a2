// SPDX-License-Identifier: GPL-2.0
/*
 * Does the model explain a history?  The search tries every possible next step,
 * continues from there, and backtracks if nothing fits.  It remembers the states that
 * it has reached: if the same calls were made and the objects are in the same state,
 * the search would continue in the same way.
 *
 * A signal and all waits-for-all that it satisfies are one step.  Then it serves
 * waits-for-any, one after the other, while its object is closed to all other calls.  Calls on
 * other objects may come in between.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include "history.h"

#define NOTHING		(-1)
#define PLACES		0x10000

/*
 * A point of the search.
 * @made: the calls that have had their effect, one bit each
 * @step: the signal, a call, that is serving waits-for-all, or NOTHING
 * @serving: the signals that are serving waits-for-any, one bit each
 */
struct point {
	uint32_t made;
	uint32_t serving;
	int step;
	struct model_obj obj[HISTORY_OBJECTS];
};

/* A point, without bytes that do not matter. */
struct key {
	uint32_t round;
	uint32_t made;
	uint32_t serving;
	uint32_t step;
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
	key.serving = point->serving;
	key.step = point->step;
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

/* Has the search been here?  Remembers the point. */
static bool visit(const struct history *history, const struct point *point)
{
	struct key key = key_of(history, point);
	uint32_t place = hash(&key) % PLACES;

	while (visited[place].round == search_round) {
		if (!memcmp(&visited[place], &key, sizeof(key)))
			return true;
		place = (place + 1) % PLACES;
	}
	/* If the table is nearly full, the search is slow but still right. */
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

static bool is_serving(const struct point *point, int call)
{
	return point->serving & 1U << call;
}

/* Calls that begin after the earliest end of an unfinished call must come after it. */
static uint32_t earliest_end(const struct history *history,
			     const struct point *point)
{
	uint32_t earliest = UINT32_MAX;

	for (int i = 0; i < history->calls; i++)
		if ((!is_made(point, i) || is_serving(point, i) ||
		     i == point->step) &&
		    history->call[i].ended < earliest)
			earliest = history->call[i].ended;
	return earliest;
}

static bool same_answer(struct model_answer a, struct model_answer b)
{
	return a.ret == b.ret && a.value[0] == b.value[0] &&
	       a.value[1] == b.value[1];
}

/* Answers of waits */

static bool acquired(const struct history_call *call)
{
	return call->wait &&
	       (!call->answer.ret || call->answer.ret == -EOWNERDEAD);
}

static bool acquired_all(const struct history_call *call)
{
	return acquired(call) && call->args.all &&
	       call->answer.value[0] < call->args.count;
}

/* The one object that a wait has acquired, possibly the alert. */
static int acquired_one(const struct history_call *call)
{
	if (!acquired(call) || acquired_all(call) ||
	    call->answer.value[0] > call->args.count)
		return NOTHING;
	if (call->answer.value[0] == call->args.count)
		return call->args.alert;
	return call->args.objs[call->answer.value[0]];
}

/* What may be acquired at a point */

static bool is_closed(const struct history *history, const struct point *point,
		      int obj)
{
	for (int i = 0; i < history->calls; i++)
		if (is_serving(point, i) && history->call[i].obj == obj)
			return true;
	return false;
}

static bool contains(const struct model_args *args, int obj)
{
	for (uint32_t i = 0; i < args->count; i++)
		if (args->objs[i] == obj)
			return true;
	return false;
}

static bool one_is_closed(const struct history *history,
			  const struct point *point,
			  const struct model_args *args)
{
	for (uint32_t i = 0; i < args->count; i++)
		if (is_closed(history, point, args->objs[i]))
			return true;
	return false;
}

/* For a wait that sleeps, an object is signaled when its signal reaches the wait. */
static bool looks_signaled(const struct history *history,
			   const struct point *point,
			   const struct history_call *call, int obj)
{
	return model_signaled(&point->obj[obj], call->args.owner) &&
	       !(call->sleeps && is_closed(history, point, obj));
}

/* Is an object before the acquired one signaled? */
static bool earlier_is_signaled(const struct history *history,
				const struct point *point,
				const struct history_call *call)
{
	const struct model_args *args = &call->args;

	if (args->all)
		return model_all_signaled(point->obj, args);
	for (uint32_t i = 0; i < call->answer.value[0]; i++)
		if (looks_signaled(history, point, call, args->objs[i]))
			return true;
	return false;
}

static bool is_satisfied(const struct history *history,
			 const struct point *point,
			 const struct history_call *call)
{
	const struct model_args *args = &call->args;

	if (args->all && model_all_signaled(point->obj, args))
		return true;
	for (uint32_t i = 0; !args->all && i < args->count; i++)
		if (looks_signaled(history, point, call, args->objs[i]))
			return true;
	return args->alert != MODEL_NO_ALERT &&
	       looks_signaled(history, point, call, args->alert);
}

/* Would this object end a sleeping wait-for-any? */
static bool ends_sleeper(const struct point *point, int call,
			 const struct history_call *sleeper, int obj)
{
	return sleeper->place && !is_made(point, call) &&
	       ((!sleeper->args.all && contains(&sleeper->args, obj)) ||
		sleeper->args.alert == obj) &&
	       model_signaled(&point->obj[obj], sleeper->args.owner);
}

/*
 * The first wait-for-any, of those that are known to be asleep, that an object must serve, or
 * NOTHING.
 */
static int first_sleeper(const struct history *history,
			 const struct point *point, int obj)
{
	int first = NOTHING;

	for (int i = 0; i < history->calls; i++) {
		const struct history_call *call = &history->call[i];

		if (ends_sleeper(point, i, call, obj) &&
		    (first == NOTHING ||
		     call->place < history->call[first].place))
			first = i;
	}
	return first;
}

/* The same for waits-for-all. */
static int first_all_sleeper(const struct history *history,
			     const struct point *point, int obj)
{
	int first = NOTHING;

	for (int i = 0; i < history->calls; i++) {
		const struct history_call *call = &history->call[i];

		if (call->place && !is_made(point, i) && call->args.all &&
		    contains(&call->args, obj) &&
		    model_all_signaled(point->obj, &call->args) &&
		    (first == NOTHING ||
		     call->place < history->call[first].place))
			first = i;
	}
	return first;
}

/* Steps: each changes the point if the call's answer fits */

static bool take(struct point *point, const struct history_call *call,
		 int number)
{
	point->made |= 1U << number;
	return same_answer(model_take(point->obj, &call->args,
				      call->answer.value[0]), call->answer);
}

/* A signal in progress serves this wait for all. */
static bool serve_all(const struct history *history, struct point *point,
		      int number)
{
	const struct history_call *call = &history->call[number];
	int obj = history->call[point->step].obj;
	int first = first_all_sleeper(history, point, obj);

	if (first != NOTHING && first != number)
		return false;
	return acquired_all(call) && call->sleeps &&
	       contains(&call->args, obj) &&
	       !one_is_closed(history, point, &call->args) &&
	       model_all_signaled(point->obj, &call->args) &&
	       take(point, call, number);
}

/* A signal that is serving waits-for-any serves this one. */
static bool serve_any(const struct history *history, struct point *point,
		      int signal, int number)
{
	const struct history_call *call = &history->call[number];
	int obj = history->call[signal].obj;
	int first = first_sleeper(history, point, obj);

	if (first != NOTHING && first != number)
		return false;
	return acquired_one(call) == obj && call->sleeps &&
	       model_signaled(&point->obj[obj], call->args.owner) &&
	       !earlier_is_signaled(history, point, call) &&
	       take(point, call, number);
}

/* A wait ends by itself. */
static bool make_wait(const struct history *history, struct point *point,
		      int number)
{
	const struct history_call *call = &history->call[number];
	int obj = acquired_one(call);

	point->made |= 1U << number;
	/* A wait that is not known to sleep may not have queued yet. */
	if (call->answer.ret == -EINTR && !call->place)
		return true;
	if (call->answer.ret == -EINTR || call->answer.ret == -ETIMEDOUT)
		return !is_satisfied(history, point, call);
	/* A wait that sleeps is served. */
	if (call->place)
		return false;
	if (acquired_all(call))
		return model_all_signaled(point->obj, &call->args) &&
		       !one_is_closed(history, point, &call->args) &&
		       take(point, call, number);
	return obj != NOTHING &&
	       model_signaled(&point->obj[obj], call->args.owner) &&
	       !is_closed(history, point, obj) &&
	       !earlier_is_signaled(history, point, call) &&
	       take(point, call, number);
}

/* Has an operation made an object signaled for some owner? */
static bool is_signal(enum model_op op, const struct model_obj *before,
		      const struct model_obj *after)
{
	switch (op) {
	case MODEL_SEM_RELEASE:
		return !before->count && after->count;
	case MODEL_MUTEX_UNLOCK:
	case MODEL_MUTEX_KILL:
		return !after->owner || before->count == UINT32_MAX;
	case MODEL_EVENT_SET:
		return !before->signaled;
	default:
		return op == MODEL_EVENT_PULSE;
	}
}

/* The other objects of a wait for all that sleeps must not be closed. */
static bool may_signal(const struct history *history,
		       const struct point *point, int obj)
{
	for (int i = 0; i < history->calls; i++) {
		const struct history_call *call = &history->call[i];

		if (call->place && !is_made(point, i) && call->args.all &&
		    contains(&call->args, obj) &&
		    one_is_closed(history, point, &call->args))
			return false;
	}
	return true;
}

static bool make_op(const struct history *history, struct point *point,
		    int number)
{
	const struct history_call *call = &history->call[number];
	struct model_obj *obj = &point->obj[call->obj], before = *obj;
	struct model_answer answer;

	if (is_closed(history, point, call->obj))
		return false;
	point->made |= 1U << number;
	answer = model_step(obj, call->op, call->arg);
	if (!same_answer(answer, call->answer))
		return false;
	if (answer.ret || !is_signal(call->op, &before, obj))
		return true;
	point->step = number;
	return may_signal(history, point, call->obj);
}

/* A signal has served all waits that it must. */
static void end_signal(const struct history *history, struct point *point,
		       int signal)
{
	const struct history_call *call = &history->call[signal];

	point->serving &= ~(1U << signal);
	if (call->op == MODEL_EVENT_PULSE)
		point->obj[call->obj].signaled = false;
}

/* A signal has served the waits-for-all; can it serve others? */
static void end_step(const struct history *history, struct point *point)
{
	int signal = point->step, obj = history->call[signal].obj;
	bool others = first_sleeper(history, point, obj) != NOTHING;

	point->step = NOTHING;
	for (int i = 0; i < history->calls; i++)
		others |= !is_made(point, i) && history->call[i].sleeps &&
			  acquired_one(&history->call[i]) == obj;
	if (others)
		point->serving |= 1U << signal;
	else
		end_signal(history, point, signal);
}

/* The search */

static bool search(const struct history *history, const struct point *point);

static bool search_in_step(const struct history *history,
			   const struct point *point, uint32_t end)
{
	int obj = history->call[point->step].obj;
	struct point next;

	for (int i = 0; i < history->calls; i++) {
		next = *point;
		if (!is_made(point, i) && history->call[i].began <= end &&
		    serve_all(history, &next, i) && search(history, &next))
			return true;
	}
	if (first_all_sleeper(history, point, obj) != NOTHING)
		return false;
	next = *point;
	end_step(history, &next);
	return search(history, &next);
}

static bool search_in_service(const struct history *history,
			      const struct point *point, int signal,
			      uint32_t end)
{
	int obj = history->call[signal].obj;
	struct point next;

	for (int i = 0; i < history->calls; i++) {
		next = *point;
		if (!is_made(point, i) && history->call[i].began <= end &&
		    serve_any(history, &next, signal, i) &&
		    search(history, &next))
			return true;
	}
	if (first_sleeper(history, point, obj) != NOTHING)
		return false;
	next = *point;
	end_signal(history, &next, signal);
	return search(history, &next);
}

static bool search(const struct history *history, const struct point *point)
{
	uint32_t end = earliest_end(history, point);

	if (end == UINT32_MAX)
		return true;
	if (visit(history, point))
		return false;
	if (point->step != NOTHING)
		return search_in_step(history, point, end);
	for (int i = 0; i < history->calls; i++) {
		struct point next = *point;

		if (is_serving(point, i)) {
			if (search_in_service(history, point, i, end))
				return true;
		} else if (!is_made(point, i) &&
			   history->call[i].began <= end &&
			   (history->call[i].wait ?
			    make_wait(history, &next, i) :
			    make_op(history, &next, i)) &&
			   search(history, &next)) {
			return true;
		}
	}
	return false;
}

bool history_explained(const struct history *history)
{
	struct point start = { .step = NOTHING };

	memcpy(start.obj, history->obj, sizeof(start.obj));
	search_round++;
	visited_count = 0;
	return search(history, &start);
}
