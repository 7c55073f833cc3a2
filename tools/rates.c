// SPDX-License-Identifier: GPL-2.0
/* Counts trace events by thread and by object. */
#define _GNU_SOURCE
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "proc.h"
#include "rates.h"
#include "util.h"

unsigned long count_waits(const struct counts *counts)
{
	return counts->any + counts->all;
}

unsigned long count_signals(const struct counts *counts)
{
	unsigned long sum = 0;
	size_t i;

	for (i = 0; i < NR_OPS; i++)
		sum += counts->ops[i];
	return sum;
}

/* Threads and objects are looked up by their numbers. */

static int compare_threads(const void *a, const void *b)
{
	const struct thread *x = a, *y = b;

	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

static int compare_objects(const void *a, const void *b)
{
	const struct traced *x = a, *y = b;

	if (x->instance != y->instance)
		return x->instance < y->instance ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* A thread's name may change, and it may be gone. */
static bool name_thread(struct thread *thread)
{
	struct status status;
	char tid[16];

	snprintf(tid, sizeof(tid), "%d", thread->tid);
	if (!read_status("/proc", tid, &status)) {
		if (!*thread->name)
			trace_name(thread->tid, thread->name);
		return false;
	}
	thread->pid = status.tgid;
	memcpy(thread->name, status.name, sizeof(thread->name));
	return true;
}

static void *remember(void **tree, void *key,
		      int (*order)(const void *a, const void *b))
{
	if (!tsearch(key, tree, order))
		err(EXIT_TROUBLE, NULL);
	return key;
}

static struct thread *find_thread(struct rates *rates, pid_t tid)
{
	const struct thread key = { .tid = tid };
	struct thread **kept = tfind(&key, &rates->thread_tree, compare_threads);
	struct thread *thread;

	if (kept)
		return *kept;
	thread = allocate(sizeof(*thread));
	thread->tid = tid;
	name_thread(thread);
	rates->threads = grow(rates->threads, rates->nr_threads, sizeof(thread));
	rates->threads[rates->nr_threads++] = thread;
	return remember(&rates->thread_tree, thread, compare_threads);
}

/* NULL for an event without an object. */
static struct traced *find_object(struct rates *rates, const struct event *event)
{
	const struct traced key = {
		.instance = event->instance, .id = event->object,
	};
	struct traced **kept = tfind(&key, &rates->object_tree, compare_objects);
	struct traced *object;

	if (!event->object || kept)
		return kept ? *kept : NULL;
	object = allocate(sizeof(*object));
	*object = key;
	object->type = event->type + 1;
	rates->objects = grow(rates->objects, rates->nr_objects, sizeof(object));
	rates->objects[rates->nr_objects++] = object;
	return remember(&rates->object_tree, object, compare_objects);
}

/* Counting */

static void forget_pair(struct traced *object)
{
	object->lead = 0;
	memset(object->ways, 0, sizeof(object->ways));
	memset(object->slept, 0, sizeof(object->slept));
}

/* The pair with most of the hand-overs, if any has, is in @object->pair at the end. */
static void hand_over(struct traced *object, pid_t taker, bool slept)
{
	pid_t giver = object->signaler;
	bool forth = giver < taker;
	pid_t first = forth ? giver : taker, second = forth ? taker : giver;

	object->signaler = 0;
	if (!giver || giver == taker)
		return;
	object->counts.handed++;
	if (object->pair[0] != first || object->pair[1] != second) {
		if (object->lead) {
			object->lead--;
			return;
		}
		object->pair[0] = first;
		object->pair[1] = second;
		forget_pair(object);
	}
	object->lead++;
	object->ways[!forth]++;
	object->slept[!forth] += slept;
}

static void add_wait(struct counts *counts, const struct event *event,
		     uint64_t asleep, bool slept)
{
	if (event->all)
		counts->all++;
	else
		counts->any++;
	if (slept)
		counts->slept++;
	else
		counts->once++;
	counts->asleep += asleep;
	counts->timed_out += (int)event->ret == -ETIMEDOUT;
	counts->interrupted += (int)event->ret == -EINTR || (int)event->ret == -ERESTARTSYS;
}

/* Is it in a wait that began before this interval? */
static bool slept_before(const struct rates *rates, const struct thread *thread)
{
	return thread->queued_since && thread->queued_since <= rates->begin;
}

/* How much of this interval, until @time, has a queued thread been asleep? */
static uint64_t slept_until(const struct rates *rates,
			    const struct thread *thread, uint64_t time)
{
	uint64_t since = thread->queued_since;

	if (since < rates->begin)
		since = rates->begin;
	return time > since ? time - since : 0;
}

/* @object is NULL if none was acquired. */
static void end_wait(const struct rates *rates, const struct event *event,
		     struct thread *thread, struct traced *object)
{
	bool slept = thread->queued_since, late = !slept_before(rates, thread);
	uint64_t asleep = slept ? slept_until(rates, thread, event->time) : 0;

	thread->queued_since = 0;
	add_wait(&thread->counts, event, asleep, slept);
	if (!object)
		return;
	add_wait(&object->counts, event, asleep, slept);
	object->late += late;
	hand_over(object, event->tid, slept);
}

static void add_signal(struct counts *counts, const struct event *event)
{
	counts->ops[event->op % NR_OPS]++;
	counts->failed += event->ret != 0;
	counts->woken += event->woken;
}

/**
 * rates_count() - count an event
 * @event: one that trace_read() hands out
 * @data: the rates
 */
void rates_count(const struct event *event, void *data)
{
	struct rates *rates = data;
	struct thread *thread = find_thread(rates, event->tid);
	struct traced *object = find_object(rates, event);

	switch (event->kind) {
	case EVENT_CREATE:
		thread->counts.created++;
		object->counts.created++;
		break;
	case EVENT_DESTROY:
		thread->counts.destroyed++;
		object->counts.destroyed++;
		break;
	case EVENT_QUEUE:
		if (!thread->queued_since)
			thread->queued_since = event->time;
		thread->counts.queued++;
		object->counts.queued++;
		break;
	case EVENT_SIGNAL:
		add_signal(&thread->counts, event);
		add_signal(&object->counts, event);
		if (!event->ret)
			object->signaler = event->tid;
		break;
	case EVENT_WAIT_END:
		end_wait(rates, event, thread, object);
		break;
	default:
		break;
	}
}

/**
 * rates_wait() - count a wait that is not traced from its beginning
 * @rates: in which no event is counted yet
 * @tid: the thread that waits
 * @since: the time
 */
void rates_wait(struct rates *rates, pid_t tid, uint64_t since)
{
	find_thread(rates, tid)->queued_since = since;
}

/* Judging */

static double enough(const struct rates *rates, double rate)
{
	return rates->seconds < 1 ? rate : rate * rates->seconds;
}

/* A thread that has not slept even once. */
static void judge_thread(const struct rates *rates, struct thread *thread)
{
	const struct counts *counts = &thread->counts;

	thread->mark = counts->once >= SPIN_RATE * rates->seconds &&
		       !counts->slept && !thread->queued_since ?
		       MARK_SPIN : MARK_NONE;
}

static bool same_pair(const struct traced *a, const struct traced *b)
{
	return a->pair[0] == b->pair[0] && a->pair[1] == b->pair[1];
}

/* Are most of its acquisitions by one of its pair after a signal of the other? */
static bool has_pair(const struct traced *object)
{
	return 2 * (object->ways[0] + object->ways[1]) > count_waits(&object->counts);
}

/*
 * Two threads that keep handing objects to each other, one object both ways or several
 * objects, each in one direction, and both sleep for them.  They need not always sleep:
 * a thread that is woken at once may hand its object back before the other one waits.
 */
static void judge_object(struct rates *rates, struct traced *object)
{
	const double least = enough(rates, THRASH_RATE);
	unsigned long ways[2] = { }, slept[2] = { };
	const struct traced *other;
	size_t i, j;

	object->mark = MARK_NONE;
	if (!has_pair(object))
		return;
	for (i = 0; i < rates->nr_objects; i++) {
		other = rates->objects[i];
		if (!has_pair(other) || !same_pair(object, other))
			continue;
		for (j = 0; j < 2; j++) {
			ways[j] += other->ways[j];
			slept[j] += other->slept[j];
		}
	}
	for (j = 0; j < 2; j++)
		if (ways[j] < least || 4 * slept[j] < ways[j])
			return;
	object->mark = MARK_THRASH;
	for (j = 0; j < 2; j++)
		memcpy(object->mates[j], find_thread(rates, object->pair[j])->name,
		       sizeof(object->mates[j]));
}

/**
 * rates_judge() - end the interval: names and marks
 * @rates: in which all of its events are counted
 */
void rates_judge(struct rates *rates)
{
	struct thread *thread;
	size_t i;

	rates->seconds = (rates->end - rates->begin) / 1e9;
	for (i = 0; i < rates->nr_threads; i++) {
		thread = rates->threads[i];
		if (!name_thread(thread))
			thread->queued_since = 0;
		if (thread->queued_since)
			thread->counts.asleep += slept_until(rates, thread, rates->end);
		judge_thread(rates, thread);
	}
	for (i = 0; i < rates->nr_objects; i++)
		judge_object(rates, rates->objects[i]);
}

/* Is it acquired again and again by waits that began in this interval? */
static bool goes_to_others(const struct rates *rates, const struct traced *object)
{
	return object->late >= enough(rates, STARVED_RATE);
}

/**
 * rates_may_starve() - look for threads that may starve
 * @rates: for which rates_judge() was called
 *
 * Return: whether there are any, so that the list of waits has to tell.
 */
bool rates_may_starve(const struct rates *rates)
{
	bool objects = false, threads = false;
	size_t i;

	for (i = 0; i < rates->nr_objects; i++)
		objects |= goes_to_others(rates, rates->objects[i]);
	for (i = 0; i < rates->nr_threads; i++)
		threads |= slept_before(rates, rates->threads[i]);
	return objects && threads;
}

/* Does a wait for all, as far as this object is concerned, not have to wait? */
static bool is_free(const struct object *object, const struct wait *wait)
{
	enum state state = object_state(object);

	return state == STATE_SIGNALED || state == STATE_ABANDONED ||
	       (state == STATE_OWNED && object->owner == wait->owner);
}

/* Others acquire what it waits for: any of the objects, or all that are not free. */
static bool is_starved(const struct rates *rates, const struct wait *wait)
{
	bool taken = false;
	size_t i;

	for (i = 0; i < wait->nr_links && wait->links[i].index < wait->objects; i++) {
		const struct object *object = wait->links[i].object;
		const struct traced key = {
			.instance = object->instance, .id = object->id,
		};
		struct traced **kept = tfind(&key, &rates->object_tree, compare_objects);

		if (kept && goes_to_others(rates, *kept))
			taken = true;
		else if (wait->all && !is_free(object, wait))
			return false;
	}
	return taken;
}

/**
 * rates_judge_waits() - mark the threads that starve
 * @rates: for which rates_judge() was called
 * @snapshot: has the waits
 * @now: a time after it was made
 *
 * A wait that began before the interval and lasts is still the same one.
 */
void rates_judge_waits(struct rates *rates, const struct snapshot *snapshot, uint64_t now)
{
	size_t i;

	for (i = 0; i < snapshot->nr_waits; i++) {
		const struct wait *wait = snapshot->waits[i];
		const struct thread key = { .tid = wait->tid };
		struct thread **kept = tfind(&key, &rates->thread_tree, compare_threads);

		if (kept && slept_before(rates, *kept) &&
		    now - wait->waited * 1e9 <= rates->end && is_starved(rates, wait))
			(*kept)->mark = MARK_STARVED;
	}
}

/* Intervals */

static bool is_idle(const struct counts *counts)
{
	static const struct counts none;

	return !memcmp(counts, &none, sizeof(none));
}

static void drop_threads(struct rates *rates)
{
	struct thread *thread;
	size_t i, kept = 0;

	for (i = 0; i < rates->nr_threads; i++) {
		thread = rates->threads[i];
		if (is_idle(&thread->counts)) {
			tdelete(thread, &rates->thread_tree, compare_threads);
			free(thread);
			continue;
		}
		thread->counts = (struct counts) { };
		rates->threads[kept++] = thread;
	}
	rates->nr_threads = kept;
}

static void drop_objects(struct rates *rates)
{
	struct traced *object;
	size_t i, kept = 0;

	for (i = 0; i < rates->nr_objects; i++) {
		object = rates->objects[i];
		if (is_idle(&object->counts)) {
			tdelete(object, &rates->object_tree, compare_objects);
			free(object);
			continue;
		}
		object->counts = (struct counts) { };
		object->late = 0;
		forget_pair(object);
		rates->objects[kept++] = object;
	}
	rates->nr_objects = kept;
}

/**
 * rates_next() - begin the next interval
 * @rates: those of the one that ended; threads and objects without events are dropped
 */
void rates_next(struct rates *rates)
{
	drop_threads(rates);
	drop_objects(rates);
	rates->begin = rates->end;
}

struct rates *rates_begin(void)
{
	struct rates *rates = allocate(sizeof(*rates));

	rates->begin = trace_now();
	return rates;
}
