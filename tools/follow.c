// SPDX-License-Identifier: GPL-2.0
/* lsntsync --follow: what happens to an object, or what a process does. */
#define _GNU_SOURCE
#include <errno.h>
#include <search.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "follow.h"
#include "names.h"
#include "proc.h"
#include "trace.h"
#include "util.h"

#define LOOK_USEC	50000

/* Deadlines from here on are for the realtime clock, or infinite. */
#define TIME_OF_DAY	1000000000000000000ull

/* Known threads: a thread may be gone when its event is printed. */
struct actor {
	uint32_t tid;
	char name[64];
	unsigned int look;	/* in which it was named */
	bool queued;		/* on the object that is followed */
};

struct transcript {
	const struct options *options;
	void *actors;
	unsigned int lines;
	unsigned int looks;	/* at the trace buffers */
	bool ended;		/* the object is gone */
};

static int compare_actors(const void *a, const void *b)
{
	const struct actor *x = a, *y = b;

	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

static struct actor *find_actor(struct transcript *transcript, uint32_t tid)
{
	const struct actor key = { .tid = tid };
	struct actor **kept = tfind(&key, &transcript->actors, compare_actors);
	struct actor *actor = kept ? *kept : allocate(sizeof(*actor));

	if (kept)
		return actor;
	*actor = key;
	if (!tsearch(actor, &transcript->actors, compare_actors))
		err(EXIT_TROUBLE, NULL);
	return actor;
}

/* Once for all events of a look: reading /proc takes longer than making an event. */
static void name_actor(const struct transcript *transcript, struct actor *actor)
{
	struct status status;
	char text[16];

	if (actor->look == transcript->looks)
		return;
	actor->look = transcript->looks;
	snprintf(text, sizeof(text), "%u", actor->tid);
	if (read_status("/proc", text, &status))
		memcpy(actor->name, status.name, sizeof(actor->name));
	else if (!*actor->name && !trace_name(actor->tid, actor->name))
		strcpy(actor->name, "?");
}

/* Words for events */

/* "mutex 4:17 (its name)" */
static void print_object(const struct event *event)
{
	const char *type = event->type < 3 ? type_names[event->type + 1] : "object";
	const char *name = name_of(event->instance, event->object);

	printf("%s %u:%u", type, event->instance, event->object);
	if (name)
		printf(" (%s)", name);
}

static void print_begin(const struct event *event)
{
	const char *alert = event->alert ? " or the alert" : "";

	if (event->count == 1)
		printf("waits for an object%s", alert);
	else
		printf("waits for %s of %u objects%s", event->all ? "all" : "any",
		       event->count, alert);
	printf(" as %u, ", event->owner);
	if (event->timeout > INT64_MAX)
		printf("without a timeout");
	else if (event->timeout >= TIME_OF_DAY)
		printf("until a time of day");
	else if (event->timeout <= event->time)
		printf("without sleeping");
	else
		printf("for up to %.3f ms", (event->timeout - event->time) / 1e6);
}

static void print_queue(const struct event *event)
{
	printf("queues on ");
	print_object(event);
	if (event->holder)
		printf(", which %u owns", event->holder);
}

/* Also for another thread's wait that this one satisfies. */
static void print_acquire(const struct event *event)
{
	print_object(event);
	if (event->type == TYPE_MUTEX - 1)
		printf(event->count == 1 ? " is now owned by %u" :
		       " is now owned by %u, %u times", event->owner, event->count);
	else if (event->type == TYPE_SEMAPHORE - 1)
		printf(" goes to %u and has %u left", event->owner, event->count);
	else
		printf(" goes to %u and %s", event->owner,
		       event->count ? "stays set" : "is reset");
}

static void print_signal(const struct event *event)
{
	static const char * const ops[NR_OPS] = {
		[OP_RELEASE]	= "releases",
		[OP_UNLOCK]	= "unlocks",
		[OP_KILL]	= "declares dead the owner of",
		[OP_SET]	= "sets",
		[OP_PULSE]	= "pulses",
	};

	printf("%s ", event->op < NR_OPS ? ops[event->op] : "signals");
	print_object(event);
	if (event->ret)
		printf(": failed, %s", strerror(-(int)event->ret));
	else if (event->woken)
		printf(", which satisfies %u wait%s", event->woken,
		       plural(event->woken));
	else
		printf(", and no wait ends");
}

static void print_end(const struct event *event)
{
	int error = -(int)event->ret;

	if (error == ETIMEDOUT) {
		printf("times out");
	} else if (error == ERESTARTSYS || error == EINTR) {
		printf("is interrupted by a signal");
	} else if (error && error != EOWNERDEAD) {
		printf("fails, %s", strerror(error));
	} else if (!event->object) {
		printf("has waited for no objects");
	} else if (event->all && event->count > 1) {
		printf("has all %u, the first is ", event->count);
		print_object(event);
	} else {
		printf(event->index == event->count ? "is alerted by " : "has ");
		print_object(event);
	}
	if (error == EOWNERDEAD)
		printf(", abandoned by its owner");
	printf(", after %.3f ms", event->waited / 1e6);
}

static void print_event(const struct event *event, const struct actor *actor)
{
	printf("%12.6f %-15s %7u  ", event->time / 1e9, actor->name, event->tid);
	switch (event->kind) {
	case EVENT_CREATE:
		printf("makes ");
		print_object(event);
		break;
	case EVENT_DESTROY:
		printf("closes the last descriptor of ");
		print_object(event);
		break;
	case EVENT_WAIT_BEGIN:
		print_begin(event);
		break;
	case EVENT_QUEUE:
		print_queue(event);
		break;
	case EVENT_ACQUIRE:
		print_acquire(event);
		break;
	case EVENT_SIGNAL:
		print_signal(event);
		break;
	default:
		print_end(event);
	}
	putchar('\n');
}

/* What is followed */

static bool is_followed(const struct options *options, const struct event *event)
{
	return event->instance == options->instance &&
	       event->object == options->object;
}

/* An object's event, or the end of a wait that queued on it. */
static bool is_wanted(const struct options *options, const struct event *event,
		      struct actor *actor)
{
	bool wanted = !options->instance || is_followed(options, event);

	if (event->kind == EVENT_QUEUE) {
		actor->queued |= wanted;
	} else if (event->kind == EVENT_WAIT_END) {
		wanted |= actor->queued;
		actor->queued = false;
	}
	return wanted;
}

static void take_event(const struct event *event, void *data)
{
	struct transcript *transcript = data;
	const struct options *options = transcript->options;
	struct actor *actor = find_actor(transcript, event->tid);

	if (transcript->ended || trace_interrupted() || !is_wanted(options, event, actor))
		return;
	name_actor(transcript, actor);
	print_event(event, actor);
	transcript->lines++;
	if (transcript->lines == options->count ||
	    (options->instance && event->kind == EVENT_DESTROY))
		transcript->ended = true;
}

static bool process_ended(const struct options *options)
{
	return options->pids.nr && kill(*options->pids.values, 0) && errno == ESRCH;
}

/**
 * follow() - print events until the user, the process or the object ends
 * @options: those of the command line
 *
 * Return: the exit status.
 */
int follow(const struct options *options)
{
	struct transcript transcript = { .options = options };
	const unsigned int all = (1 << NR_EVENT_KINDS) - 1;
	unsigned long long lost = 0;
	bool last;

	trace_begin(options->instance ? all & ~(1 << EVENT_WAIT_BEGIN) : all,
		    options->pids.values, options->pids.nr);
	printf("%12s %-15s %7s  %s\n", "TIME", "THREAD", "TID", "EVENT");
	do {
		flush_output();
		/* The last events of a process are read after its end. */
		last = process_ended(options);
		usleep(LOOK_USEC);
		transcript.looks++;
		trace_read(take_event, &transcript);
		if (trace_lost() != lost)
			printf("%12s %llu events were lost\n", "", trace_lost() - lost);
		lost = trace_lost();
	} while (!last && !transcript.ended && !trace_interrupted());
	flush_output();
	return EXIT_SUCCESS;
}
