// SPDX-License-Identifier: GPL-2.0
/*
 * A signal and all the waits-for-all that it satisfies are one step: a thread that knows that
 * the step has begun acts after its end.
 *
 * In each round another process signals an event.  This satisfies a first wait-for-all; then
 * the driver must look at many other waits; then comes the last wait.  At the same time this
 * process checks, in one of many ways, whether the first wait was satisfied.  As soon as it
 * knows, it does something that would prevent the last wait from being satisfied, if that had
 * not been served yet.
 *
 * A look often comes too early or too late.  The rounds are counted in which it began while
 * the other process was in its call, and so early that it could have prevented the last wait
 * before the call ended.  There must be enough of them.
 */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include <poll.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include "model/worker.h"
#include "objects.h"
#include "task.h"
#include "fdinfo.h"

#define ANY NTSYNC_IOC_WAIT_ANY
#define ALL NTSYNC_IOC_WAIT_ALL

/*
 * The size of the crowd, and for how many objects each of them waits.  On user-mode Linux a
 * call takes as long as the step spends on 70 of them.
 */
#define CROWD	work(1000, 100)
#define WIDE	NTSYNC_MAX_WAIT_COUNT

/* This many calls fit between a look that meets the step and the end of the step. */
#define CALLS	5

/* How many rounds must meet the step, and how many are made at most. */
#define ENOUGH	50
#define ROUNDS	10000

/* A small run gives up after this many nanoseconds. */
#define PATIENCE	(15 * NSEC_PER_SEC)

/* How far ahead a deadline is when its wait begins, in nanoseconds. */
#define AHEAD	(10 * NSEC_PER_MSEC)

/* Owners, by which fdinfo shows which wait is which. */
#define FIRST	11U
#define LAST	12U

/*
 * What the two processes share.
 * @begin: posted for each round
 * @arrived: at the meeting point, in all rounds
 * @began, @ended: the call that signals the event
 * @from, @to: the same as times, written before @ended
 */
struct stage {
	sem_t begin;
	atomic_int arrived;
	atomic_bool began;
	atomic_bool ended;
	__u64 from;
	__u64 to;
};

/*
 * @event: is signaled; all the others are waited for together with it
 * @mutex, @sem, @once: are signaled at the start, for the first wait
 * @alert: of the first wait
 * @other: for the last wait, if it waits for that too
 * @never: is not signaled, so that the crowd goes on waiting
 * @first, @last: the two waits that matter
 * @urgent: the first wait is that of a real-time thread
 * @rival: waits for any of @other, and came after @last
 * @mine: a wait of this thread
 * @delay: from the beginning of the call to the look, in loops; if it is too short, the
 *	look is too early
 * @lead: the same from the beginning to the deadline, in nanoseconds
 * @tuned: a round was not too early; until then @delay or @lead is doubled
 * @start_at: when to begin, if a deadline must come soon after that
 * @margin: how long before the end of the step a look must begin to meet it
 * @looked_at: when the decisive look began
 * @known_at: when this thread knew
 * @alert_was_set: by the messenger
 * @met, @wrong: how many rounds met the step, and how many went wrong
 */
struct play {
	struct stage *stage;
	pid_t signaler;
	int dev;
	int event;
	int mutex;
	int sem;
	int once;
	int alert;
	int other;
	int never;
	int wide[WIDE];
	struct waiter *crowd;
	struct worker first;
	struct worker last;
	struct worker rival;
	bool urgent;
	pthread_t messenger;
	pid_t me;
	struct ntsync_wait_args mine;
	struct fdinfo *info;
	int round;
	int delay;
	int lead;
	bool tuned;
	unsigned int seed;
	atomic_bool alert_was_set;
	__u64 margin;
	__u64 start_at;
	atomic_ullong looked_at;
	__u64 known_at;
	int met;
	int wrong;
};

/* The other process */

static void signal_in_each_round(struct stage *stage, int event,
				 int (*signal)(int event, __u32 *prev))
{
	__u32 prev;

	stay_on_cpu(sysconf(_SC_NPROCESSORS_ONLN) - 1);
	for (int round = 0;; round++) {
		while (sem_wait(&stage->begin))
			;
		meet(&stage->arrived, round, 2);
		stage->from = clock_ns(CLOCK_MONOTONIC);
		stage->began = true;
		signal(event, &prev);
		stage->to = clock_ns(CLOCK_MONOTONIC);
		stage->ended = true;
	}
}

static void wait_for_flag(atomic_bool *flag)
{
	while (!*flag)
		sched_yield();
}

static void begin_step(struct play *play)
{
	sem_post(&play->stage->begin);
	while (clock_ns(CLOCK_MONOTONIC) < play->start_at)
		;
	meet(&play->stage->arrived, play->round, 2);
	while (!play->stage->began)
		;
}

/* Called just before a look. */
static void note_time(struct play *play)
{
	play->looked_at = clock_ns(CLOCK_MONOTONIC);
}

/* Ways to know: each returns whether the first wait is satisfied */

/* The alert stays signaled if it did not end the wait. */
static bool alert_stays(struct play *play)
{
	struct ntsync_event_args args;
	__u32 prev;

	event_set(play->alert, &prev);
	return !event_read(play->alert, &args) && args.signaled;
}

static bool mutex_is_owned(struct play *play)
{
	struct ntsync_mutex_args args;

	return !mutex_read(play->mutex, &args) && args.owner == FIRST;
}

static bool sem_is_empty(struct play *play)
{
	struct ntsync_sem_args args;

	return !sem_read(play->sem, &args) && !args.count;
}

static bool event_is_reset(struct play *play)
{
	struct ntsync_event_args args;

	return !event_read(play->once, &args) && !args.signaled;
}

/* If a poll finds the object signaled, it takes it: the look was too early. */
static bool poll_finds_nothing(struct play *play)
{
	return poll_any(play->dev, &play->sem, 1, NULL) == -ETIMEDOUT;
}

static bool poll_of_two_finds_nothing(struct play *play)
{
	const int objs[2] = { play->never, play->once };

	return poll_any(play->dev, objs, 2, NULL) == -ETIMEDOUT;
}

static bool poll_finds_not_all(struct play *play)
{
	const int objs[2] = { play->wide[1], play->sem };

	return poll_all(play->dev, objs, 2, NULL) == -ETIMEDOUT;
}

static bool is_not_readable(struct play *play)
{
	struct pollfd pollfd = { .fd = play->sem, .events = POLLIN };

	return !poll(&pollfd, 1, 0);
}

static bool event_is_readable(struct play *play)
{
	struct pollfd pollfd = { .fd = play->event, .events = POLLIN };

	return poll(&pollfd, 1, 0) == 1;
}

static bool fdinfo_has_owner(struct play *play)
{
	return !fdinfo_read(play->mutex, play->info) &&
	       play->info->values[0] == FIRST;
}

/* Is the first wait missing in the fdinfo of an object? */
static bool fdinfo_lacks_wait(struct play *play, int fd)
{
	if (fdinfo_read(fd, play->info))
		return false;
	for (int i = 0; i < play->info->shown; i++)
		if (play->info->waits[i].owner == FIRST)
			return false;
	return true;
}

static bool fdinfo_of_event_lacks_wait(struct play *play)
{
	return fdinfo_lacks_wait(play, play->event);
}

static bool fdinfo_of_alert_lacks_wait(struct play *play)
{
	return fdinfo_lacks_wait(play, play->alert);
}

static bool wait_has_returned(struct play *play)
{
	return play->first.done;
}

/* Looks that the messenger makes possible */

static void *set_alert(void *data)
{
	struct play *play = data;
	__u32 prev;

	begin_step(play);
	spin(play->delay);
	note_time(play);
	event_set(play->alert, &prev);
	play->alert_was_set = true;
	return NULL;
}

/* Another thread sets the alert, and may still be in that call. */
static bool alert_is_found(struct play *play)
{
	bool found, was_set;

	do {
		sched_yield();
		was_set = play->alert_was_set;
		found = !poll_any(play->dev, &play->alert, 1, NULL);
	} while (!found && !was_set);
	return found;
}

static bool i_sleep(struct play *play)
{
	return thread_in_ioctl(play->me, ANY, &play->mine);
}

/* If it is too early, the first wait takes the alert: then this thread gets another. */
static void *set_alert_until_woken(void *data)
{
	struct play *play = data;
	__u32 prev;

	if (!wait_until(i_sleep(play)))
		return NULL;
	set_alert(play);
	wait_for_flag(&play->stage->ended);
	while (i_sleep(play))
		event_set(play->alert, &prev);
	return NULL;
}

/* This thread is queued after the first wait, which leaves the alert to it. */
static bool alert_wakes_me(struct play *play)
{
	int ret;

	play->mine = (struct ntsync_wait_args) {
		.timeout = FOREVER, .owner = ME, .alert = play->alert,
	};
	ret = ntsync_call(play->dev, ANY, &play->mine);
	return !ret;
}

enum way_name {
	BY_ALERT,
	BY_THIRD_THREAD,
	BY_NEXT_IN_QUEUE,
	BY_MUTEX,
	BY_SEM,
	BY_EVENT,
	BY_POLL,
	BY_POLL_OF_TWO,
	BY_POLL_FOR_ALL,
	BY_NOT_READABLE,
	BY_READABLE,
	BY_FDINFO_STATE,
	BY_FDINFO_OF_EVENT,
	BY_FDINFO_OF_ALERT,
	BY_ITS_RETURN,
};

/*
 * @look: returns whether the first wait is satisfied
 * @once: a look that comes too early spoils the round
 * @after: it succeeds after the step, while the call wakes others; so a look meets the step
 *	until the call ends
 * @messenger: a thread that begins the step, and sets the alert
 */
struct way {
	bool (*look)(struct play *play);
	bool once;
	bool after;
	void *(*messenger)(void *play);
};

static const struct way ways[] = {
	[BY_ALERT] = { .look = alert_stays, .once = true },
	[BY_THIRD_THREAD] = {
		.look = alert_is_found, .once = true, .messenger = set_alert,
	},
	[BY_NEXT_IN_QUEUE] = {
		.look = alert_wakes_me, .once = true,
		.messenger = set_alert_until_woken,
	},
	[BY_MUTEX] = { .look = mutex_is_owned },
	[BY_SEM] = { .look = sem_is_empty },
	[BY_EVENT] = { .look = event_is_reset },
	[BY_POLL] = { .look = poll_finds_nothing, .once = true },
	[BY_POLL_OF_TWO] = { .look = poll_of_two_finds_nothing, .once = true },
	[BY_POLL_FOR_ALL] = { .look = poll_finds_not_all, .once = true },
	[BY_NOT_READABLE] = { .look = is_not_readable },
	[BY_READABLE] = { .look = event_is_readable },
	[BY_FDINFO_STATE] = { .look = fdinfo_has_owner },
	[BY_FDINFO_OF_EVENT] = { .look = fdinfo_of_event_lacks_wait },
	[BY_FDINFO_OF_ALERT] = { .look = fdinfo_of_alert_lacks_wait },
	[BY_ITS_RETURN] = { .look = wait_has_returned, .after = true },
};

/* What this thread does as soon as it knows */

static void pulse_other(struct play *play)
{
	event_pulse(play->other, &(__u32){ 0 });
}

static void set_other(struct play *play)
{
	event_set(play->other, &(__u32){ 0 });
}

static void reset_other(struct play *play)
{
	event_reset(play->other, &(__u32){ 0 });
}

static void take_other(struct play *play)
{
	poll_any(play->dev, &play->other, 1, NULL);
}

static void reset_event(struct play *play)
{
	event_reset(play->event, &(__u32){ 0 });
}

static void interrupt_last(struct play *play)
{
	pthread_kill(play->last.thread, SIGUSR1);
}

enum act_name { PULSE, SET, RESET, TAKE, UNDO, INTERRUPT, TIME_OUT };

/*
 * @make: the call
 * @with_other: the last wait is also for @other
 * @other_is_set: from the start
 * @rival: there is one
 * @deadline: the last wait has a deadline
 */
struct act {
	void (*make)(struct play *play);
	bool with_other;
	bool other_is_set;
	bool rival;
	bool deadline;
};

static const struct act acts[] = {
	[PULSE] = { .make = pulse_other, .with_other = true },
	[SET] = { .make = set_other, .with_other = true, .rival = true },
	[RESET] = {
		.make = reset_other, .with_other = true, .other_is_set = true,
	},
	[TAKE] = {
		.make = take_other, .with_other = true, .other_is_set = true,
	},
	[UNDO] = { .make = reset_event },
	[INTERRUPT] = { .make = interrupt_last },
	[TIME_OUT] = { .deadline = true },
};

/* One round */

static void fill(struct worker *w, int dev, unsigned long request, __u32 count,
		 __u32 owner)
{
	w->dev = dev;
	w->request = request;
	w->args = (struct ntsync_wait_args) {
		.timeout = FOREVER,
		.objs = (uintptr_t)w->objs,
		.count = count,
		.index = UINT32_MAX,
		.owner = owner,
	};
}

static bool begin_wait(struct worker *w)
{
	worker_begin(w);
	return worker_blocks(w, WAITER_LIMIT_SEC);
}

static bool goes_on(struct worker *w)
{
	return worker_blocks(w, WAITER_LIMIT_SEC);
}

/* Signals what the first wait needs besides the event. */
static void make_ready(struct play *play)
{
	__u32 one = 1;

	mutex_unlock(play->mutex, FIRST, NULL);
	sem_release(play->sem, &one);
	event_set(play->once, &one);
}

static bool begin_waits(struct play *play, const struct act *act)
{
	struct worker *last = &play->last;
	__u32 prev;

	if (!begin_wait(&play->first))
		return false;
	/* The crowd's waits watch the event from now on, if each watches one object. */
	event_pulse(play->never, &prev);
	fill(last, play->dev, ALL, 1 + act->with_other, LAST);
	if (act->deadline) {
		last->args.timeout = clock_ns(CLOCK_MONOTONIC) + AHEAD;
		play->start_at = last->args.timeout - play->lead;
	}
	worker_begin(last);
	/* On a busy machine its deadline may already have passed. */
	if (!goes_on(last) && !act->deadline)
		return false;
	return !act->rival || begin_wait(&play->rival);
}

static bool prepare(struct play *play, const struct way *way,
		    const struct act *act)
{
	__u32 prev;

	event_reset(play->event, &prev);
	event_reset(play->alert, &prev);
	make_ready(play);
	/*
	 * A driver may have the last wait watch only the one of its objects that
	 * is signaled least often: let it be the event.
	 */
	event_pulse(play->other, &prev);
	if (act->other_is_set)
		event_set(play->other, &prev);
	else
		event_reset(play->other, &prev);
	play->stage->began = false;
	play->stage->ended = false;
	play->alert_was_set = false;
	fill(&play->first, play->dev, ALL, 4, FIRST);
	play->first.args.alert = play->alert;
	return begin_waits(play, act) &&
	       (!way->messenger || !pthread_create(&play->messenger, NULL,
						   way->messenger, play));
}

/* Does this thread know in the end? */
static bool look(struct play *play, const struct way *way)
{
	bool known;

	if (!way->messenger)
		begin_step(play);
	if (way->once && !way->messenger)
		spin(play->delay);
	do {
		if (!way->messenger)
			note_time(play);
		known = way->look(play);
	} while (!known && !way->once);
	play->known_at = clock_ns(CLOCK_MONOTONIC);
	return known;
}

/* Looks should be as soon after the beginning of the step as possible. */
static void adapt(struct play *play, int *delay, bool early, bool late)
{
	play->tuned |= !early;
	if (early)
		*delay += (play->tuned ? *delay / 8 : *delay) + 8;
	else if (late)
		*delay -= *delay / 4;
	else
		*delay -= *delay / 32 + vary(&play->seed) % 16;
	if (*delay < 0)
		*delay = 0;
}

/* Was too little left of the step when the decisive look began? */
static bool is_late(const struct play *play, const struct way *way)
{
	__u64 margin = way->after ? 0 : play->margin;

	return play->looked_at + margin > play->stage->to;
}

/* Evaluates a round after the step. */
static void judge(struct play *play, const struct way *way,
		  const struct act *act, bool known)
{
	const struct worker *first = &play->first, *last = &play->last;
	__u64 deadline = last->args.timeout;
	bool satisfied = known && !goes_on(&play->first) && !first->ret &&
			 !first->args.index;
	bool spoiled = goes_on(&play->last) || last->ret;

	if (act->deadline) {
		adapt(play, &play->lead, deadline < play->stage->from,
		      deadline > play->stage->to);
		play->met += deadline >= play->stage->from &&
			     deadline <= play->stage->to;
		spoiled &= play->known_at < deadline;
	} else {
		adapt(play, &play->delay, !satisfied, is_late(play, way));
		play->met += satisfied && !is_late(play, way);
	}
	play->wrong += satisfied && spoiled;
}

/* Ends the remaining waits, those of the last wait's class first. */
static bool finish(struct play *play, const struct act *act)
{
	__u32 prev;

	event_set(play->event, &prev);
	make_ready(play);
	if (goes_on(&play->last))
		event_set(play->other, &prev);
	if (act->rival && goes_on(&play->rival))
		event_set(play->other, &prev);
	return worker_end(&play->first, WAITER_LIMIT_SEC) != WAITER_HANGS &&
	       worker_end(&play->last, WAITER_LIMIT_SEC) != WAITER_HANGS &&
	       (!act->rival ||
		worker_end(&play->rival, WAITER_LIMIT_SEC) != WAITER_HANGS);
}

static bool play_round(struct play *play, const struct way *way,
		       const struct act *act)
{
	bool known;

	if (!prepare(play, way, act))
		return false;
	known = look(play, way);
	if (known && act->make)
		act->make(play);
	wait_for_flag(&play->stage->ended);
	if (way->messenger)
		pthread_join(play->messenger, NULL);
	judge(play, way, act, known);
	play->round++;
	return finish(play, act);
}

static void handle_signal(int sig)
{
	(void)sig;
}

static int create_objects(struct play *play)
{
	int dev = play->dev, ret = 0;

	play->event = event_create(dev, 1, 0);
	play->mutex = mutex_create(dev, 0, 0);
	play->sem = sem_create(dev, 1, 1);
	play->once = event_create(dev, 0, 1);
	play->alert = event_create(dev, 0, 0);
	play->other = event_create(dev, 0, 0);
	play->never = event_create(dev, 1, 0);
	play->wide[0] = play->event;
	for (int i = 1; i < WIDE - 1; i++) {
		play->wide[i] = event_create(dev, 1, 1);
		ret |= play->wide[i];
	}
	play->wide[WIDE - 1] = play->never;
	ret |= play->event | play->mutex | play->sem | play->once |
	       play->alert | play->other | play->never;
	return ret < 0 ? -EMFILE : 0;
}

static __u64 time_of_calls(struct play *play)
{
	__u64 begun = clock_ns(CLOCK_MONOTONIC);
	struct ntsync_event_args args;

	for (int i = 0; i < CALLS; i++)
		event_read(play->other, &args);
	return clock_ns(CLOCK_MONOTONIC) - begun;
}

/* Each has the objects in another order, so the driver cannot reuse a look. */
static int start_crowd(struct play *play)
{
	__u32 prev;

	/* All watch the event, in the order in which they begin. */
	event_pulse(play->never, &prev);
	for (int i = 0; i < CROWD; i++) {
		int objs[WIDE], ret;

		for (int j = 0; j < WIDE; j++)
			objs[j] = play->wide[(i + j) % WIDE];
		ret = waiter_start(&play->crowd[i], play->dev, ALL, objs, WIDE,
				   NOBODY_WAITS, 0);
		if (ret)
			return ret;
	}
	for (int i = 0; i < CROWD; i++)
		if (!waiter_blocks(&play->crowd[i]))
			return -EIO;
	return 0;
}

FIXTURE(strict) {
	struct play play;
};

FIXTURE_VARIANT(strict) {
	enum way_name way;
	enum act_name act;
	bool pulse;		/* the event is pulsed, not set */
};

FIXTURE_VARIANT_ADD(strict, by_alert) { .way = BY_ALERT, .act = PULSE };
FIXTURE_VARIANT_ADD(strict, by_third_thread) { .way = BY_THIRD_THREAD, .act = PULSE };
FIXTURE_VARIANT_ADD(strict, by_next_in_queue) { .way = BY_NEXT_IN_QUEUE, .act = PULSE };
FIXTURE_VARIANT_ADD(strict, by_mutex) { .way = BY_MUTEX, .act = PULSE };
FIXTURE_VARIANT_ADD(strict, by_sem) { .way = BY_SEM, .act = PULSE };
FIXTURE_VARIANT_ADD(strict, by_event) { .way = BY_EVENT, .act = PULSE };
FIXTURE_VARIANT_ADD(strict, by_poll) { .way = BY_POLL, .act = PULSE };
FIXTURE_VARIANT_ADD(strict, by_poll_of_two) { .way = BY_POLL_OF_TWO, .act = PULSE };
FIXTURE_VARIANT_ADD(strict, by_poll_for_all) { .way = BY_POLL_FOR_ALL, .act = PULSE };
FIXTURE_VARIANT_ADD(strict, by_not_readable) { .way = BY_NOT_READABLE, .act = PULSE };
FIXTURE_VARIANT_ADD(strict, by_readable) { .way = BY_READABLE, .act = PULSE };
FIXTURE_VARIANT_ADD(strict, by_fdinfo_state) { .way = BY_FDINFO_STATE, .act = PULSE };
FIXTURE_VARIANT_ADD(strict, by_fdinfo_of_event) { .way = BY_FDINFO_OF_EVENT, .act = PULSE };
FIXTURE_VARIANT_ADD(strict, by_fdinfo_of_alert) { .way = BY_FDINFO_OF_ALERT, .act = PULSE };
FIXTURE_VARIANT_ADD(strict, by_its_return) { .way = BY_ITS_RETURN, .act = PULSE };

FIXTURE_VARIANT_ADD(strict, set_by_alert) { .way = BY_ALERT, .act = SET };
FIXTURE_VARIANT_ADD(strict, set) { .way = BY_MUTEX, .act = SET };
FIXTURE_VARIANT_ADD(strict, reset) { .way = BY_MUTEX, .act = RESET };
FIXTURE_VARIANT_ADD(strict, take) { .way = BY_MUTEX, .act = TAKE };
FIXTURE_VARIANT_ADD(strict, undo) { .way = BY_MUTEX, .act = UNDO };
FIXTURE_VARIANT_ADD(strict, interrupt) { .way = BY_MUTEX, .act = INTERRUPT };
FIXTURE_VARIANT_ADD(strict, time_out) { .way = BY_MUTEX, .act = TIME_OUT };

FIXTURE_VARIANT_ADD(strict, interrupt_pulse) {
	.way = BY_MUTEX, .act = INTERRUPT, .pulse = true,
};

FIXTURE_VARIANT_ADD(strict, time_out_pulse) {
	.way = BY_MUTEX, .act = TIME_OUT, .pulse = true,
};

FIXTURE_SETUP(strict)
{
	const struct sigaction interrupt = { .sa_handler = handle_signal };
	struct play *play = &self->play;

	play->me = syscall(SYS_gettid);
	play->dev = ntsync_open();
	ASSERT_LE(0, play->dev);
	ASSERT_EQ(0, create_objects(play));
	play->margin = time_of_calls(play);
	play->info = calloc(1, sizeof(*play->info));
	play->crowd = calloc(CROWD, sizeof(*play->crowd));
	ASSERT_NE(NULL, play->info);
	ASSERT_NE(NULL, play->crowd);
	play->stage = mmap(NULL, sizeof(*play->stage), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, play->stage);
	ASSERT_EQ(0, sem_init(&play->stage->begin, 1, 0));
	play->signaler = fork_child();
	ASSERT_LE(0, play->signaler);
	if (!play->signaler)
		signal_in_each_round(play->stage, play->event,
				     variant->pulse ? event_pulse : event_set);

	ASSERT_EQ(0, start_crowd(play));
	/* Also called for the signals that end their waits. */
	stay_on_cpu(0);
	sigaction(SIGUSR1, &interrupt, NULL);
	ASSERT_TRUE(worker_start(&play->first));
	ASSERT_TRUE(worker_start(&play->last));
	ASSERT_TRUE(worker_start(&play->rival));
	/* So it is served before the crowd. */
	play->urgent = worker_set_priority(&play->first, 1);
	play->first.objs[0] = play->event;
	play->first.objs[1] = play->mutex;
	play->first.objs[2] = play->sem;
	play->first.objs[3] = play->once;
	play->last.objs[0] = play->event;
	play->last.objs[1] = play->other;
	play->rival.objs[0] = play->other;
	fill(&play->rival, play->dev, ANY, 1, OTHER);
}

FIXTURE_TEARDOWN(strict)
{
	if (self->play.signaler > 0) {
		kill(self->play.signaler, SIGKILL);
		child_status(self->play.signaler);
	}
}

/* Is this a 32-bit program on a 64-bit kernel, such as x86_64, aarch64 or s390x? */
static bool is_compat(void)
{
	struct utsname kernel;

	uname(&kernel);
	return sizeof(long) < sizeof(__u64) &&
	       (strstr(kernel.machine, "64") || !strcmp(kernel.machine, "s390x"));
}

TEST_F(strict, it_is_one)
{
	uint64_t end = clock_ns(CLOCK_MONOTONIC) + PATIENCE;
	int enough = work(ENOUGH, 5);
	bool small = enough < ENOUGH;
	struct play *play = &self->play;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs two CPUs");
	if (small && is_compat())
		SKIP(return, "a small run has it in 64 bits only");
	if (!play->urgent)
		SKIP(return, "no real-time threads here");
	while (play->met < enough && play->round < ROUNDS &&
	       (!small || clock_ns(CLOCK_MONOTONIC) < end))
		ASSERT_TRUE(play_round(play, &ways[variant->way],
				       &acts[variant->act]));
	say_done("%d wrong of %d that met the step, of %d rounds", play->wrong,
		 play->met, play->round);
	ASSERT_EQ(0, play->wrong);
	if (small && play->met < enough)
		SKIP(return, "too slow here to meet the step often enough");
	EXPECT_LE(enough, play->met);
}

TEST_HARNESS_MAIN
