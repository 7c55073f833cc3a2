// SPDX-License-Identifier: GPL-2.0
/*
 * Atomicity: every operation is one step.  Threads change objects in such a way that some
 * combinations of states never exist; a call whose result is possible only in such a
 * combination has mixed two instants.
 */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include <signal.h>
#include <time.h>
#include "waiter.h"
#include "objects.h"
#include "task.h"

#define ANY NTSYNC_IOC_WAIT_ANY
#define ALL NTSYNC_IOC_WAIT_ALL

#define MAX_OBJS	10
#define MAX_THREADS	8

/* Threads of one test, what they share, and the count of what went wrong. */
struct crew {
	int dev;
	unsigned long request;
	int objs[NTSYNC_MAX_WAIT_COUNT];
	int count;
	int alert;
	__u64 patience;		/* how far ahead the timeouts are */
	int rounds;
	int size;
	atomic_int bad;
	atomic_int last_bad;	/* the result of one of them */
	atomic_int moves;
	atomic_int looks;	/* of those: */
	atomic_int hits;
	atomic_int misses;
	atomic_bool stop;
	atomic_int arrived;	/* at the meeting point, over all rounds */
	atomic_int running;
	atomic_int next_place;
	pthread_t threads[MAX_THREADS];
};

static void complain(struct crew *c, int what)
{
	c->bad++;
	c->last_bad = what;
}

/* Gives each thread that asks a number in the crew, from 0. */
static int my_place(struct crew *c)
{
	return c->next_place++;
}

static int add_member(struct crew *c, void *(*work)(void *))
{
	c->running++;
	return -pthread_create(&c->threads[c->size++], NULL, work, c);
}

static void leave(struct crew *c)
{
	c->running--;
}

/* Have all left, or been told to stop and left? */
static bool crew_ends(struct crew *c)
{
	if (!wait_until(c->running == 0))
		return false;
	for (int i = 0; i < c->size; i++)
		pthread_join(c->threads[i], NULL);
	return true;
}

/*
 * Begins a round of a race of @n threads; false if the last one was the end.  The first in
 * the crew decides before they meet.
 */
static bool meet_again(struct crew *c, int place, int meeting, int n)
{
	if (!place)
		c->stop = c->rounds-- == 0;
	meet(&c->arrived, meeting, n);
	return !c->stop;
}

static __u64 deadline_of(const struct crew *c)
{
	if (c->patience == FOREVER)
		return FOREVER;
	/* The time of the call, as Wine does, and not 0. */
	return clock_ns(CLOCK_MONOTONIC) + c->patience;
}

/*
 * Between two looks of one call, other processors do not get far, unless a long interrupt
 * comes between.  So the thread that looks lets many timers, whose signal is ignored, expire
 * on its processor at the same time, again and again.
 */
#define TIMERS 64

struct interrupts {
	timer_t timers[TIMERS];
	int n;
	__u64 next;
	unsigned int seed;
};

static void interrupts_begin(struct interrupts *irqs)
{
	struct sigevent ignored = {
		.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2,
	};

	signal(SIGUSR2, SIG_IGN);
	memset(irqs, 0, sizeof(*irqs));
	while (irqs->n < TIMERS && !timer_create(CLOCK_MONOTONIC, &ignored,
						 &irqs->timers[irqs->n]))
		irqs->n++;
}

static void interrupts_go_on(struct interrupts *irqs)
{
	struct itimerspec at = { };

	if (clock_ns(CLOCK_MONOTONIC) < irqs->next)
		return;
	irqs->next = clock_ns(CLOCK_MONOTONIC) + 500000 +
		     vary(&irqs->seed) % 200 * 1000;
	at.it_value.tv_sec = irqs->next / NSEC_PER_SEC;
	at.it_value.tv_nsec = irqs->next % NSEC_PER_SEC;
	for (int i = 0; i < irqs->n; i++)
		timer_settime(irqs->timers[i], TIMER_ABSTIME, &at, NULL);
}

static void interrupts_end(struct interrupts *irqs)
{
	while (irqs->n > 0)
		timer_delete(irqs->timers[--irqs->n]);
}

/* Counts the result of a look; an error is a bad one. */
static void count_look(struct crew *c, int ret)
{
	c->looks++;
	if (!ret)
		c->hits++;
	else if (ret == -ETIMEDOUT)
		c->misses++;
	else
		complain(c, ret);
}

/* The number of looks of each kind, and of moves of the signal meanwhile. */
static bool looked_enough(const struct crew *c)
{
	return c->looks >= work(2000, 200) && c->moves >= work(20000, 500);
}

static void say_looks(const struct crew *c)
{
	say_done("%d moves, %d looks, %d hits, %d misses", c->moves, c->looks,
		 c->hits, c->misses);
}

/*
 * A signal that moves around a ring of manual-reset events: the next one is set before the
 * last one is reset, so at every instant at least one is set.
 */
FIXTURE(moving_signal) {
	struct crew crew;
	int ring[MAX_OBJS];
	int always;
};

FIXTURE_VARIANT(moving_signal) {
	unsigned long request;
	int ring;
	bool alert;		/* the ring's last is the alert */
	int always;		/* objects that are always set */
	__u64 patience;
	bool reverse;		/* against the order in which the wait looks */
	int between;		/* never signaled, after the ring's first */
	bool twice;		/* the ring's first comes again at the end */
};

/* A longer look meets more moves. */
FIXTURE_VARIANT_ADD(moving_signal, poll_any_of_64) {
	.request = ANY, .ring = 2, .between = 62,
};

FIXTURE_VARIANT_ADD(moving_signal, poll_any_of_8) {
	.request = ANY, .ring = 2, .between = 6,
};

FIXTURE_VARIANT_ADD(moving_signal, poll_any_of_63_alert) {
	.request = ANY, .ring = 2, .between = 62, .alert = true,
};

FIXTURE_VARIANT_ADD(moving_signal, wait_any_of_64) {
	.request = ANY, .ring = 2, .between = 62, .patience = 20000,
};

FIXTURE_VARIANT_ADD(moving_signal, poll_any_of_2) {
	.request = ANY, .ring = 2,
};

FIXTURE_VARIANT_ADD(moving_signal, poll_any_of_2_repeated) {
	.request = ANY, .ring = 2, .twice = true,
};

FIXTURE_VARIANT_ADD(moving_signal, poll_any_of_3) {
	.request = ANY, .ring = 3,
};

FIXTURE_VARIANT_ADD(moving_signal, poll_any_of_3_reverse) {
	.request = ANY, .ring = 3, .reverse = true,
};

FIXTURE_VARIANT_ADD(moving_signal, poll_any_of_10) {
	.request = ANY, .ring = 10,
};

FIXTURE_VARIANT_ADD(moving_signal, poll_any_of_10_reverse) {
	.request = ANY, .ring = 10, .reverse = true,
};

FIXTURE_VARIANT_ADD(moving_signal, poll_any_of_1_alert) {
	.request = ANY, .ring = 2, .alert = true,
};

FIXTURE_VARIANT_ADD(moving_signal, poll_any_of_9_alert) {
	.request = ANY, .ring = 10, .alert = true,
};

FIXTURE_VARIANT_ADD(moving_signal, wait_any_of_2) {
	.request = ANY, .ring = 2, .patience = 20000,
};

FIXTURE_VARIANT_ADD(moving_signal, wait_any_of_9_alert) {
	.request = ANY, .ring = 10, .alert = true, .patience = 20000,
};

FIXTURE_VARIANT_ADD(moving_signal, endless_any_of_3) {
	.request = ANY, .ring = 3, .patience = FOREVER,
};

FIXTURE_VARIANT_ADD(moving_signal, poll_all_of_1_alert) {
	.request = ALL, .ring = 2, .alert = true,
};

FIXTURE_VARIANT_ADD(moving_signal, poll_all_of_3_alert) {
	.request = ALL, .ring = 2, .alert = true, .always = 2,
};

FIXTURE_VARIANT_ADD(moving_signal, wait_all_of_1_alert) {
	.request = ALL, .ring = 2, .alert = true, .patience = 20000,
};

FIXTURE_VARIANT_ADD(moving_signal, wait_all_of_3_alert) {
	.request = ALL, .ring = 2, .alert = true, .always = 2,
	.patience = 20000,
};

FIXTURE_SETUP(moving_signal)
{
	struct crew *c = &self->crew;

	c->dev = ntsync_open();
	ASSERT_LE(0, c->dev);
	c->request = variant->request;
	c->patience = variant->patience;
	for (int i = 0; i < variant->always; i++) {
		c->objs[c->count] = event_create(c->dev, 1, 1);
		ASSERT_LE(0, c->objs[c->count++]);
	}
	for (int i = 0; i < variant->ring; i++) {
		self->ring[i] = event_create(c->dev, 1, i == 0);
		ASSERT_LE(0, self->ring[i]);
		if (variant->alert && i == variant->ring - 1)
			c->alert = self->ring[i];
		else
			c->objs[c->count++] = self->ring[i];
		for (int j = 0; i == 0 && j < variant->between; j++) {
			c->objs[c->count] = event_create(c->dev, 1, 0);
			ASSERT_LE(0, c->objs[c->count++]);
		}
	}
	if (variant->twice)
		c->objs[c->count++] = self->ring[0];
}

FIXTURE_TEARDOWN(moving_signal)
{
	close(self->crew.dev);
}

static void *never_miss(void *data)
{
	struct interrupts irqs;
	struct crew *c = data;

	interrupts_begin(&irqs);
	while (!c->stop) {
		int ret = wait_call(c->dev, c->request, c->objs, c->count, ME,
				    deadline_of(c), c->alert, NULL);

		count_look(c, ret);
		interrupts_go_on(&irqs);
	}
	interrupts_end(&irqs);
	leave(c);
	return NULL;
}

static void move_signal(struct crew *c, const int *ring, int n, bool reverse)
{
	__u64 begun = clock_ns(CLOCK_MONOTONIC);
	unsigned int seed = n;
	int here = 0, next;
	__u32 value;

	for (; c->moves % 64 || race_goes_on(begun, looked_enough(c)); c->moves++) {
		next = (here + (reverse ? n - 1 : 1)) % n;
		event_set(ring[next], &value);
		if (c->moves % 8 == 0)
			spin(vary(&seed) % 300);
		event_reset(ring[here], &value);
		here = next;
	}
}

TEST_F(moving_signal, is_never_missed)
{
	struct crew *c = &self->crew;

	ASSERT_EQ(0, add_member(c, never_miss));
	move_signal(c, self->ring, variant->ring, variant->reverse);
	c->stop = true;
	ASSERT_TRUE(crew_ends(c));
	say_looks(c);
	EXPECT_TRUE(looked_enough(c));
	EXPECT_EQ(0, c->misses);
	EXPECT_EQ(0, c->bad)
		TH_LOG("the last returned %d", c->last_bad);
}

/*
 * Nested signals: event i is set only while all before it are set.  So whenever one is
 * signaled, the first one is, and the wait must take that.
 */
FIXTURE(nested_signals) {
	struct crew crew;
	int nest[MAX_OBJS];
};

FIXTURE_VARIANT(nested_signals) {
	unsigned long request;
	int nest;
	bool alert;		/* the innermost is the alert */
	__u64 patience;
	int between;		/* never signaled, after the outermost */
};

FIXTURE_VARIANT_ADD(nested_signals, poll_any_of_64) {
	.request = ANY, .nest = 2, .between = 62,
};

FIXTURE_VARIANT_ADD(nested_signals, poll_any_of_8) {
	.request = ANY, .nest = 2, .between = 6,
};

FIXTURE_VARIANT_ADD(nested_signals, wait_any_of_63_alert) {
	.request = ANY, .nest = 2, .between = 62, .alert = true,
	.patience = 20000,
};

FIXTURE_VARIANT_ADD(nested_signals, poll_any_of_2) {
	.request = ANY, .nest = 2,
};

FIXTURE_VARIANT_ADD(nested_signals, poll_any_of_10) {
	.request = ANY, .nest = 10,
};

FIXTURE_VARIANT_ADD(nested_signals, poll_any_of_2_alert) {
	.request = ANY, .nest = 3, .alert = true,
};

FIXTURE_VARIANT_ADD(nested_signals, wait_any_of_2) {
	.request = ANY, .nest = 2, .patience = 20000,
};

FIXTURE_VARIANT_ADD(nested_signals, wait_any_of_9_alert) {
	.request = ANY, .nest = 10, .alert = true, .patience = 20000,
};

FIXTURE_VARIANT_ADD(nested_signals, poll_all_of_1_alert) {
	.request = ALL, .nest = 2, .alert = true,
};

FIXTURE_VARIANT_ADD(nested_signals, wait_all_of_1_alert) {
	.request = ALL, .nest = 2, .alert = true, .patience = 20000,
};

FIXTURE_SETUP(nested_signals)
{
	struct crew *c = &self->crew;

	c->dev = ntsync_open();
	ASSERT_LE(0, c->dev);
	c->request = variant->request;
	c->patience = variant->patience;
	for (int i = 0; i < variant->nest; i++) {
		self->nest[i] = event_create(c->dev, 1, 0);
		ASSERT_LE(0, self->nest[i]);
		if (variant->alert && i == variant->nest - 1)
			c->alert = self->nest[i];
		else
			c->objs[c->count++] = self->nest[i];
		for (int j = 0; i == 0 && j < variant->between; j++) {
			c->objs[c->count] = event_create(c->dev, 1, 0);
			ASSERT_LE(0, c->objs[c->count++]);
		}
	}
}

FIXTURE_TEARDOWN(nested_signals)
{
	close(self->crew.dev);
}

static void *get_the_first(void *data)
{
	struct interrupts irqs;
	struct crew *c = data;
	__u32 index;

	interrupts_begin(&irqs);
	while (!c->stop) {
		int ret = wait_call(c->dev, c->request, c->objs, c->count, ME,
				    deadline_of(c), c->alert, &index);

		count_look(c, ret);
		if (!ret && index)
			complain(c, index);
		interrupts_go_on(&irqs);
	}
	interrupts_end(&irqs);
	leave(c);
	return NULL;
}

/* Looks meet the signals, and what is between them. */
static bool nested_enough(const struct crew *c)
{
	return c->moves >= work(1000, 100) && c->looks >= work(1000, 100) &&
	       c->hits >= work(100, 10) && c->misses >= work(100, 10);
}

static void nest_signals(struct crew *c, const int *nest, int n)
{
	__u64 begun = clock_ns(CLOCK_MONOTONIC);
	unsigned int seed = n;
	__u32 value;

	for (; c->moves % 16 || race_goes_on(begun, nested_enough(c)); c->moves++) {
		for (int j = 0; j < n; j++)
			event_set(nest[j], &value);
		spin(vary(&seed) % 2000);
		for (int j = n - 1; j >= 0; j--)
			event_reset(nest[j], &value);
		spin(vary(&seed) % 2000);
	}
}

TEST_F(nested_signals, first_is_taken)
{
	struct crew *c = &self->crew;

	ASSERT_EQ(0, add_member(c, get_the_first));
	nest_signals(c, self->nest, variant->nest);
	c->stop = true;
	ASSERT_TRUE(crew_ends(c));
	say_looks(c);
	EXPECT_TRUE(nested_enough(c));
	EXPECT_EQ(0, c->bad)
		TH_LOG("the last returned %d", c->last_bad);
}

FIXTURE(atomicity) {
	struct crew crew;
};

FIXTURE_SETUP(atomicity)
{
	self->crew.dev = ntsync_open();
	ASSERT_LE(0, self->crew.dev);
}

FIXTURE_TEARDOWN(atomicity)
{
	close(self->crew.dev);
}

/*
 * Each of two threads signals its own object and then looks at the other's.  The look of the
 * thread whose signal was second comes after both signals, so at least one look must succeed.
 * A processor may still have its store in a buffer while it looks.
 */
static int signal_own(struct crew *c, int round, int place)
{
	__u32 value = 1;

	if (round % 3 == 2)
		return sem_release(c->objs[2 + place], &value);
	return event_set(c->objs[place], &value);
}

static int look_at_other(struct crew *c, int round, int place)
{
	int first = round % 3 == 2 ? 2 : 0;
	int objs[3] = { c->objs[first + !place], c->objs[4], c->objs[5] };

	switch (round % 5) {
	case 0:
		return wait_any(c->dev, objs, 2, ME, 0, 0, NULL);
	case 1:
		return wait_all(c->dev, objs, 1, ME, 0, 0, NULL);
	case 2:
		objs[1] = c->objs[5];
		return wait_all(c->dev, objs, 2, ME, 0, 0, NULL);
	case 3:
		return wait_any(c->dev, NULL, 0, ME, 0, objs[0], NULL);
	default:
		return wait_any(c->dev, objs, 1, ME, deadline_of(c), 0, NULL);
	}
}

/* In some rounds both looks came after both signals. */
static bool met_enough(const struct crew *c)
{
	return c->moves >= work(10000, 250) && c->hits >= work(100, 1);
}

static void *signal_and_look(void *data)
{
	struct crew *c = data;
	int place = my_place(c);
	unsigned int seed = place;

	for (int round = 0;; round++) {
		/* The first decides before they meet. */
		if (!place)
			c->stop = met_enough(c);
		meet(&c->arrived, 3 * round, 2);
		if (c->stop)
			break;
		spin(vary(&seed) % 30);
		signal_own(c, round, place);
		c->objs[6 + place] = look_at_other(c, round, place);
		meet(&c->arrived, 3 * round + 1, 2);
		if (place == 0) {
			int bad = c->objs[6] && c->objs[7];

			if (bad)
				complain(c, round);
			c->hits += !c->objs[6] && !c->objs[7];
			c->moves++;
			for (int i = 0; i < 4; i++)
				wait_any(c->dev, &c->objs[i], 1, ME, 0, 0,
					 NULL);
		}
		meet(&c->arrived, 3 * round + 2, 2);
	}
	leave(c);
	return NULL;
}

TEST_F(atomicity, two_signals_are_not_both_missed)
{
	struct crew *c = &self->crew;

	for (int i = 0; i < 2; i++) {
		c->objs[i] = event_create(c->dev, 0, 0);
		c->objs[2 + i] = sem_create(c->dev, 0, 5);
	}
	c->objs[4] = event_create(c->dev, 1, 0);
	c->objs[5] = event_create(c->dev, 1, 1);
	for (int i = 0; i < 6; i++)
		ASSERT_LE(0, c->objs[i]);
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, add_member(c, signal_and_look));
	ASSERT_TRUE(crew_ends(c));
	say_done("%d rounds, in %d both saw the other's signal", c->moves,
		 c->hits);
	EXPECT_TRUE(met_enough(c));
	EXPECT_EQ(0, c->bad)
		TH_LOG("last in round %d", c->last_bad);
}

/*
 * There are as many tokens as threads, and each thread holds at most one, so one is always
 * free.  A look must not miss it because another thread is using the object.
 */
static void *take_one_of_enough(void *data)
{
	struct crew *c = data;
	int place = my_place(c);

	for (int i = 0; i < c->rounds; i++) {
		__u32 one = 1, another = 1;
		int ret;

		if ((i + place) % 2)
			ret = wait_any(c->dev, c->objs, 1, ME, 0, 0, NULL);
		else
			ret = wait_all(c->dev, c->objs, 2, ME, 0, 0, NULL);
		if (ret) {
			complain(c, ret);
			continue;
		}
		sem_release(c->objs[0], &one);
		if ((i + place) % 2 == 0)
			sem_release(c->objs[1], &another);
	}
	leave(c);
	return NULL;
}

TEST_F(atomicity, busy_is_not_unsignaled)
{
	struct crew *c = &self->crew;

	c->rounds = work(5000, 250);
	for (int i = 0; i < 2; i++) {
		c->objs[i] = sem_create(c->dev, 4, 4);
		ASSERT_LE(0, c->objs[i]);
	}
	for (int i = 0; i < 4; i++)
		ASSERT_EQ(0, add_member(c, take_one_of_enough));
	ASSERT_TRUE(crew_ends(c));
	EXPECT_EQ(0, c->bad)
		TH_LOG("the last returned %d", c->last_bad);
	EXPECT_SEM(4, 4, c->objs[0]);
	EXPECT_SEM(4, 4, c->objs[1]);
}

/*
 * Tokens that many threads take in every way, and return where they took them.  None may be
 * lost or duplicated, and no wait may sleep forever while there is one.
 */
#define SEMS		4
#define TOKENS		2

static void give_back(struct crew *c, int sem)
{
	__u32 one = 1;
	int ret = sem_release(sem, &one);

	/* EOVERFLOW: more than were made. */
	if (ret)
		complain(c, ret);
}

static void *take_in_every_way(void *data)
{
	struct crew *c = data;
	unsigned int seed = my_place(c);

	for (int i = 0; i < c->rounds; i++) {
		int start = vary(&seed) % SEMS, n = 1 + vary(&seed) % SEMS;
		__u64 patience = vary(&seed) % 3 * 20000;
		bool all = vary(&seed) % 2;
		int objs[SEMS], ret;
		__u32 index;

		for (int j = 0; j < n; j++)
			objs[j] = c->objs[(start + j) % SEMS];
		ret = wait_call(c->dev, all ? ALL : ANY, objs, n, ME,
				vary(&seed) % 8 ? patience +
				clock_ns(CLOCK_MONOTONIC) : FOREVER, 0, &index);
		count_look(c, ret);
		if (ret)
			continue;
		if (all)
			for (int j = 0; j < n; j++)
				give_back(c, objs[j]);
		else
			give_back(c, objs[index]);
	}
	leave(c);
	return NULL;
}

TEST_F(atomicity, tokens_are_conserved)
{
	struct crew *c = &self->crew;

	c->rounds = work(3000, 150);
	for (int i = 0; i < SEMS; i++) {
		c->objs[i] = sem_create(c->dev, TOKENS, TOKENS);
		ASSERT_LE(0, c->objs[i]);
	}
	for (int i = 0; i < MAX_THREADS; i++)
		ASSERT_EQ(0, add_member(c, take_in_every_way));
	ASSERT_TRUE(crew_ends(c));
	say_looks(c);
	EXPECT_LT(0, c->hits);
	EXPECT_EQ(0, c->bad)
		TH_LOG("the last returned %d", c->last_bad);
	for (int i = 0; i < SEMS; i++)
		EXPECT_SEM(TOKENS, TOKENS, c->objs[i]);
}

/*
 * Two mutexes and counters that they protect.  A counter is increased by a load and a store,
 * so a step is lost if two threads do so at the same time.
 */
static void advance(struct crew *c, atomic_int *guarded, atomic_int *inside)
{
	int before;

	if (atomic_exchange(inside, 1))
		complain(c, 1);
	before = *guarded;
	spin(20);
	*guarded = before + 1;
	*inside = 0;
}

static atomic_int guarded[2], inside[2], advances[2];

static void *lock_in_turn(void *data)
{
	struct crew *c = data;
	int place = my_place(c);

	for (int i = 0; i < c->rounds; i++) {
		bool both = (i + place) % 3 == 0;
		int one = (i + place) % 2;
		int ret;

		if (both)
			ret = wait_all(c->dev, c->objs, 2, place + 1, FOREVER,
				       0, NULL);
		else
			ret = wait_any(c->dev, &c->objs[one], 1, place + 1,
				       FOREVER, 0, NULL);
		if (ret)
			complain(c, ret);
		for (int m = 0; m < 2; m++) {
			__u32 prev = 0;

			if (!both && m != one)
				continue;
			advance(c, &guarded[m], &inside[m]);
			advances[m]++;
			ret = mutex_unlock(c->objs[m], place + 1, &prev);
			if (ret || prev != 1)
				complain(c, ret ? ret : (int)prev);
		}
	}
	leave(c);
	return NULL;
}

TEST_F(atomicity, mutexes_exclude)
{
	struct crew *c = &self->crew;

	c->rounds = work(2000, 100);
	for (int i = 0; i < 2; i++) {
		c->objs[i] = mutex_create(c->dev, 0, 0);
		ASSERT_LE(0, c->objs[i]);
	}
	for (int i = 0; i < 6; i++)
		ASSERT_EQ(0, add_member(c, lock_in_turn));
	ASSERT_TRUE(crew_ends(c));
	EXPECT_EQ(0, c->bad)
		TH_LOG("the last returned %d", c->last_bad);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(advances[i], guarded[i]);
		EXPECT_MUTEX(0, 0, c->objs[i]);
	}
}

/* Five philosophers at a round table; each takes both forks or none. */
#define SEATS 5

static atomic_int eating[SEATS];

static void *dine(void *data)
{
	struct crew *c = data;
	int seat = my_place(c), left = (seat + SEATS - 1) % SEATS;
	int right = (seat + 1) % SEATS;
	const int forks[] = { c->objs[seat], c->objs[right] };

	for (int i = 0; i < c->rounds; i++) {
		int ret = wait_all(c->dev, forks, 2, seat + 1, FOREVER, 0,
				   NULL);

		if (ret)
			complain(c, ret);
		eating[seat] = 1;
		spin(50);
		if (eating[left] || eating[right])
			complain(c, seat);
		eating[seat] = 0;
		for (int j = 0; j < 2; j++) {
			ret = mutex_unlock(forks[j], seat + 1, NULL);
			if (ret)
				complain(c, ret);
		}
	}
	leave(c);
	return NULL;
}

TEST_F(atomicity, philosophers_dine)
{
	struct crew *c = &self->crew;

	c->rounds = work(2000, 100);
	for (int i = 0; i < SEATS; i++) {
		c->objs[i] = mutex_create(c->dev, 0, 0);
		ASSERT_LE(0, c->objs[i]);
	}
	for (int i = 0; i < SEATS; i++)
		ASSERT_EQ(0, add_member(c, dine));
	ASSERT_TRUE(crew_ends(c));
	EXPECT_EQ(0, c->bad);
	for (int i = 0; i < SEATS; i++)
		EXPECT_MUTEX(0, 0, c->objs[i]);
}

/*
 * A wait-for-all whose second object is never signaled must not take the first one even for a
 * moment: a wait for the first one alone always succeeds.
 */
static void *try_for_both(void *data)
{
	struct crew *c = data;
	int there[2] = { c->objs[0], c->objs[1] };
	int back[2] = { c->objs[1], c->objs[0] };

	for (int i = 0; !c->stop; i++) {
		__u64 deadline = i % 4 ? 0 : clock_ns(CLOCK_MONOTONIC) + 20000;
		int ret = wait_all(c->dev, i % 2 ? there : back, 2, OTHER,
				   deadline, 0, NULL);

		count_look(c, ret);
	}
	leave(c);
	return NULL;
}

static bool tried_enough(const struct crew *c)
{
	return c->moves >= work(10000, 250) && c->looks >= work(10000, 250);
}

TEST_F(atomicity, all_never_takes_a_part)
{
	struct crew *c = &self->crew;
	int mutex = mutex_create(c->dev, 0, 0);
	__u64 begun = clock_ns(CLOCK_MONOTONIC);

	ASSERT_LE(0, mutex);
	c->objs[0] = mutex;
	c->objs[1] = sem_create(c->dev, 0, 1);
	ASSERT_LE(0, c->objs[1]);
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, add_member(c, try_for_both));
	for (; race_goes_on(begun, tried_enough(c)); c->moves++) {
		EXPECT_MUTEX(0, 0, mutex);
		ASSERT_EQ(0, wait_any(c->dev, &mutex, 1, ME, 0, 0, NULL));
		EXPECT_MUTEX(ME, 1, mutex);
		ASSERT_EQ(0, mutex_unlock(mutex, ME, NULL));
	}
	c->stop = true;
	ASSERT_TRUE(crew_ends(c));
	say_looks(c);
	EXPECT_TRUE(tried_enough(c));
	EXPECT_EQ(0, c->hits);
	EXPECT_EQ(0, c->bad);
	EXPECT_SEM(0, 1, c->objs[1]);
}

/* A pulse is a set and a reset in one step: no look may find the event set. */
static void *look_for_a_pulse(void *data)
{
	struct crew *c = data;

	while (!c->stop) {
		struct ntsync_event_args args;
		int ret;

		for (int i = 0; i < 2; i++) {
			ret = event_read(c->objs[i], &args);
			if (ret || args.signaled)
				complain(c, ret);
		}
		ret = wait_any(c->dev, c->objs, 2, ME, 0, 0, NULL);
		if (ret != -ETIMEDOUT)
			complain(c, ret);
		ret = wait_all(c->dev, c->objs, 1, ME, 0, 0, NULL);
		if (ret != -ETIMEDOUT)
			complain(c, ret);
		c->looks++;
	}
	leave(c);
	return NULL;
}

/* With waiters, the event is signaled for a moment inside the pulse. */
static void *wait_for_a_pulse(void *data)
{
	struct crew *c = data;
	int place = my_place(c);

	while (!c->stop) {
		int ret = wait_call(c->dev, place ? ALL : ANY, &c->objs[place],
				    1, ME, clock_ns(CLOCK_MONOTONIC) + 1000000,
				    0, NULL);

		if (!ret)
			c->hits++;
		else if (ret != -ETIMEDOUT)
			complain(c, ret);
	}
	leave(c);
	return NULL;
}

/* Waiters were served, and there were looks at the same time. */
static bool pulsed_enough(const struct crew *c)
{
	return c->moves >= work(10000, 250) && c->looks >= work(1000, 25) &&
	       c->hits >= work(200, 5);
}

TEST_F(atomicity, pulse_is_never_seen)
{
	struct crew *c = &self->crew;
	__u64 begun = clock_ns(CLOCK_MONOTONIC);
	__u32 prev;

	for (int i = 0; i < 2; i++) {
		c->objs[i] = event_create(c->dev, i, 0);
		ASSERT_LE(0, c->objs[i]);
	}
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, add_member(c, look_for_a_pulse));
		ASSERT_EQ(0, add_member(c, wait_for_a_pulse));
	}
	for (; race_goes_on(begun, pulsed_enough(c)); c->moves++) {
		ASSERT_EQ(0, event_pulse(c->objs[c->moves % 2], &prev));
		EXPECT_EQ(0, prev);
	}
	c->stop = true;
	ASSERT_TRUE(crew_ends(c));
	say_done("%d pulses, %d waits that they ended, %d looks", c->moves,
		 c->hits, c->looks);
	EXPECT_TRUE(pulsed_enough(c));
	EXPECT_EQ(0, c->bad);
}

/*
 * A signal that satisfies a waiter is never visible to other threads: neither a look nor a
 * poll may find it.
 */
static void *look_in_between(void *data)
{
	struct crew *c = data;

	while (!c->stop) {
		struct object event = { AUTO_EVENT, c->objs[0] };
		struct object sem = { SEM, c->objs[1] };

		if (!same_state(state_unsignaled(AUTO_EVENT),
				object_state(event)) ||
		    !same_state(state_unsignaled(SEM), object_state(sem)))
			complain(c, 1);
		if (poll_any(c->dev, c->objs, 2, NULL) != -ETIMEDOUT)
			complain(c, 2);
		c->looks++;
	}
	leave(c);
	return NULL;
}

TEST_F(atomicity, hand_over_is_never_seen)
{
	struct crew *c = &self->crew;
	struct object objects[2];

	for (int i = 0; i < 2; i++) {
		objects[i] = object_create(c->dev, i ? SEM : AUTO_EVENT);
		c->objs[i] = objects[i].fd;
		ASSERT_LE(0, c->objs[i]);
	}
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, add_member(c, look_in_between));
	for (int i = 0; i < work(150, 10); i++) {
		int looks = c->looks;
		struct waiter w;

		ASSERT_TRUE(waiter_start_blocked(&w, c->dev, i % 3 ? ANY : ALL,
						 &c->objs[i % 2], 1, OTHER, 0));
		ASSERT_EQ(0, object_signal(objects[i % 2]));
		ASSERT_EQ(0, waiter_join(&w));
		ASSERT_TRUE(wait_until(c->looks > looks));
	}
	c->stop = true;
	ASSERT_TRUE(crew_ends(c));
	say_done("%d looks", c->looks);
	EXPECT_EQ(0, c->bad);
}

/*
 * Two threads throw a ball to each other.  Each throw meets the other thread somewhere on its
 * way into its wait; if a wake is lost, the game ends.
 */
static int catch_ball(struct crew *c, int place, int round)
{
	int objs[3] = { c->objs[place], c->objs[2], c->objs[3] };
	__u64 hour = clock_ns(CLOCK_MONOTONIC) + 3600 * NSEC_PER_SEC;

	switch (round % 5) {
	case 0:
		return wait_any(c->dev, objs, 1, ME, FOREVER, 0, NULL);
	case 1:
		return wait_any(c->dev, objs, 2, ME, hour, 0, NULL);
	case 2:
		return wait_all(c->dev, objs, 1, ME, FOREVER, 0, NULL);
	case 3:
		objs[1] = c->objs[3];
		return wait_all(c->dev, objs, 2, ME, hour, c->objs[2], NULL);
	default:
		return wait_any(c->dev, &c->objs[2], 1, ME, FOREVER, objs[0],
				NULL);
	}
}

static void *play_ball(void *data)
{
	struct crew *c = data;
	int place = my_place(c);
	unsigned int seed = place;

	for (int round = 0; round < c->rounds; round++) {
		__u32 value;
		int ret = catch_ball(c, place, round / (1 + place));

		if (ret)
			complain(c, ret);
		spin(vary(&seed) % 200);
		if (event_set(c->objs[!place], &value) || value)
			complain(c, value);
	}
	leave(c);
	return NULL;
}

TEST_F(atomicity, no_wake_is_lost)
{
	struct crew *c = &self->crew;

	c->rounds = work(8000, 200);
	c->objs[0] = event_create(c->dev, 0, 1);
	c->objs[1] = event_create(c->dev, 0, 0);
	c->objs[2] = event_create(c->dev, 1, 0);
	c->objs[3] = event_create(c->dev, 1, 1);
	for (int i = 0; i < 4; i++)
		ASSERT_LE(0, c->objs[i]);
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, add_member(c, play_ball));
	ASSERT_TRUE(crew_ends(c));
	EXPECT_EQ(0, c->bad)
		TH_LOG("the last returned %d", c->last_bad);
}

/*
 * The thread that waits for the ball has usually slept for long.  Here the signal comes at
 * every point of the wait's way to sleep.
 */
static void *signal_at_some_point(void *data)
{
	struct crew *c = data;
	unsigned int seed = 1;
	__u32 value;

	for (int round = 0; meet_again(c, 1, round, 2); round++) {
		spin(vary(&seed) % 1500);
		if (event_set(c->objs[0], &value) || value)
			complain(c, round);
	}
	leave(c);
	return NULL;
}

static void *wait_from_the_start(void *data)
{
	struct crew *c = data;

	for (int round = 0; meet_again(c, 0, round, 2); round++) {
		int ret = catch_ball(c, 0, round);

		if (ret)
			complain(c, ret);
	}
	leave(c);
	return NULL;
}

TEST_F(atomicity, signal_meets_wait)
{
	struct crew *c = &self->crew;

	c->rounds = work(15000, 375);
	c->objs[0] = event_create(c->dev, 0, 0);
	c->objs[2] = event_create(c->dev, 1, 0);
	c->objs[3] = event_create(c->dev, 1, 1);
	ASSERT_LE(0, c->objs[0]);
	ASSERT_LE(0, c->objs[2]);
	ASSERT_LE(0, c->objs[3]);
	ASSERT_EQ(0, add_member(c, signal_at_some_point));
	ASSERT_EQ(0, add_member(c, wait_from_the_start));
	ASSERT_TRUE(crew_ends(c));
	EXPECT_EQ(0, c->bad);
}

/*
 * Two signals end one wait.  Who comes too late may still be about to claim that wait when its
 * thread begins the next one, in the same memory.
 */
static void *signal_two_waits(void *data)
{
	struct crew *c = data;
	int place = my_place(c);
	unsigned int seed = place;
	__u32 value;

	for (int round = 0; meet_again(c, 1, round, 3); round++) {
		spin(vary(&seed) % 1500);
		if (event_set(c->objs[place], &value) || value)
			complain(c, round);
		c->moves++;
		if (place)
			continue;
		if (!wait_until(c->moves == 2 * (round + 1)) ||
		    event_set(c->objs[2], &value) || value)
			complain(c, round);
	}
	leave(c);
	return NULL;
}

static void *wait_twice(void *data)
{
	struct crew *c = data;
	__u32 index, value;

	for (int round = 0; meet_again(c, 0, round, 3); round++) {
		if (wait_any(c->dev, c->objs, 2, ME, FOREVER, 0, &index) ||
		    wait_any(c->dev, &c->objs[2], 2, ME, FOREVER, 0, &index) ||
		    index || event_reset(c->objs[2], &value) || value)
			complain(c, round);
		for (int i = 0; i < 2; i++)
			event_reset(c->objs[i], &value);
	}
	leave(c);
	return NULL;
}

TEST_F(atomicity, next_wait_is_left_alone)
{
	struct crew *c = &self->crew;

	c->rounds = work(15000, 375);
	ASSERT_EQ(0, create_events(c->dev, 0, c->objs, 4));
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, add_member(c, signal_two_waits));
	ASSERT_EQ(0, add_member(c, wait_twice));
	ASSERT_TRUE(crew_ends(c));
	EXPECT_EQ(0, c->bad)
		TH_LOG("the last in round %d", c->last_bad);
}

/*
 * The objects of a set are signaled on different processors at the same time.  A signaler may
 * find that another object is not signaled yet, except the last one.
 */
#define SETTERS 3

static void *set_one_of_the_set(void *data)
{
	struct crew *c = data;
	int place = my_place(c);
	unsigned int seed = place;
	__u32 value;

	for (int round = 0; round < c->rounds; round++) {
		meet(&c->arrived, round, SETTERS + 1);
		spin(vary(&seed) % 100);
		if (event_set(c->objs[place], &value) || value)
			complain(c, round);
	}
	leave(c);
	return NULL;
}

TEST_F(atomicity, set_completed_by_several)
{
	struct crew *c = &self->crew;
	struct waiter w;

	c->rounds = work(150, 10);
	for (int i = 0; i < SETTERS; i++) {
		c->objs[i] = event_create(c->dev, 0, 0);
		ASSERT_LE(0, c->objs[i]);
	}
	for (int i = 0; i < SETTERS; i++)
		ASSERT_EQ(0, add_member(c, set_one_of_the_set));
	for (int round = 0; round < c->rounds; round++) {
		ASSERT_EQ(0, waiter_start(&w, c->dev, ALL, c->objs, SETTERS, ME,
					  0));
		/* Sometimes the waiter is still on its way into the wait. */
		if (round % 4)
			ASSERT_TRUE(waiter_blocks(&w));
		meet(&c->arrived, round, SETTERS + 1);
		ASSERT_EQ(0, waiter_join(&w));
	}
	ASSERT_TRUE(crew_ends(c));
	EXPECT_EQ(0, c->bad);
	for (int i = 0; i < SETTERS; i++)
		EXPECT_EVENT(0, 0, c->objs[i]);
}

TEST_HARNESS_MAIN
