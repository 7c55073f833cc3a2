// SPDX-License-Identifier: GPL-2.0
/*
 * Lists of calls, as fast as the machine can make them, by threads of a few processes that
 * share the objects of an instance.  The module ioctls makes all calls of a list in one call.
 * No process is killed and no signal is sent.
 *
 * Tokens are semaphores, auto-reset events and mutexes.  A thread waits for tokens only while
 * it has none, and without a deadline, so each wait must end.  It returns them in the same
 * list, or records in shared memory what it has and returns it at the beginning of the next
 * list.  If a token is held twice, the results of returning it and the records show it.  In
 * between are calls whose results are known, and calls that disturb: events that all threads
 * set, reset, pulse and poll.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "stress.h"
#include "list.h"

#define MAX_PROCESSES	8
#define MAX_THREADS	200	/* of a process */
#define SEM_MAX		3
#define OWN_SEM_MAX	4
#define PICKED		4	/* most tokens of a wait */

enum token {
	SEM, SEM_END = SEM + 3,
	EVENT = SEM_END, EVENT_END = EVENT + 4,
	MUTEX = EVENT_END, MUTEX_END = MUTEX + 4,
	TOKENS = MUTEX_END,
};

/* Events that anyone signals; half of them are manual-reset. */
#define LOOSE	MAX_OBJECTS

static struct shared {
	atomic_uint stop;
	atomic_uint wrong;
	atomic_uint living;			/* threads */
	atomic_uint holders[TOKENS];		/* number of holders of a semaphore */
	struct tally tally[MAX_PROCESSES];
} *shared;

static unsigned int n_processes = 2, n_threads = 16;
static unsigned int stuck_seconds = STUCK_SECONDS;
static unsigned long long calls_wanted, seconds_wanted, seed;

static int device, ioctls, tokens[TOKENS], loose[LOOSE];

/* In this process. */
static struct tally *tally;

struct self {
	unsigned int owner;
	uint64_t random;
	struct list list;
	/* Tokens that it keeps until the next list, or of which it acquires one or all. */
	unsigned int kept[PICKED], n_kept;
	struct step *keeping;
	/* Objects that no other thread uses, and whether the event is manual-reset. */
	int event, sem, mutex;
	bool manual;
};

#define wrong(format, ...)						\
	tell_wrong(&shared->wrong, &shared->stop, "batch: WRONG: " format "\n",	\
		   ##__VA_ARGS__)

static bool is_mutex(unsigned int token)
{
	return token >= MUTEX;
}

/* Records of who has which token */

static void note(const struct self *self, unsigned int token)
{
	unsigned int before = 0;

	if (token < SEM_END)
		before = atomic_fetch_add(&shared->holders[token], 1);
	else
		atomic_compare_exchange_strong(&shared->holders[token], &before,
					       self->owner);
	if (token < SEM_END ? before >= SEM_MAX : before)
		wrong("token %u was given to %u while it was had (%u)", token,
		      self->owner, before);
}

static void strike_out(const struct self *self, unsigned int token)
{
	unsigned int before;

	if (token < SEM_END) {
		atomic_fetch_sub(&shared->holders[token], 1);
		return;
	}
	before = atomic_exchange(&shared->holders[token], 0);
	if (before != self->owner)
		wrong("%u had token %u, which was noted for %u", self->owner, token,
		      before);
}

/* Taking and returning tokens */

/* So many different tokens, in random order. */
static void pick_tokens(struct self *self, unsigned int *picked, unsigned int n)
{
	unsigned int all[TOKENS];

	for (unsigned int i = 0; i < TOKENS; i++)
		all[i] = i;
	for (unsigned int i = 0; i < n; i++) {
		unsigned int other = i + below(&self->random, TOKENS - i);

		picked[i] = all[other];
		all[other] = all[i];
	}
}

static struct step *add_take(struct self *self, enum operation wait,
			     const unsigned int *picked, unsigned int n)
{
	int objs[PICKED];

	for (unsigned int i = 0; i < n; i++)
		objs[i] = tokens[picked[i]];
	return add_wait(&self->list, device, wait, objs, n, self->owner, FOREVER, 0);
}

/* An object that this thread has reads as acquired. */
static void add_look(struct self *self, unsigned int token)
{
	struct list *list = &self->list;

	if (token < SEM_END)
		add_read(list, READ_SEM, tokens[token], RANGE(0, SEM_MAX - 1),
			 just(SEM_MAX));
	else if (is_mutex(token))
		add_read(list, READ_MUTEX, tokens[token], just(self->owner), just(1));
	else
		add_read(list, READ_EVENT, tokens[token], just(0), just(0));
}

static void add_give_back(struct self *self, unsigned int token)
{
	struct list *list = &self->list;

	if (token < SEM_END)
		add_release(list, tokens[token], 0, RANGE(0, SEM_MAX - 1));
	else if (is_mutex(token))
		add_unlock(list, tokens[token], self->owner, 0, just(1));
	else
		add_event(list, SET, tokens[token], just(0));
}

/* Any of one, or all of a few: what the wait acquires is known beforehand. */
static void take_some(struct self *self)
{
	for (unsigned int i = 0; i < 4; i++) {
		unsigned int picked[PICKED], n = 1 + below(&self->random, PICKED);
		bool all = n > 1 || one_in(&self->random, 2);

		pick_tokens(self, picked, n);
		add_take(self, all ? WAIT_FOR_ALL : WAIT_FOR_ANY, picked, n);
		if (one_in(&self->random, 4))
			add_look(self, picked[0]);
		for (unsigned int j = 0; j < n; j++)
			add_give_back(self, picked[j]);
	}
}

/* The last call of a list; what it acquires is kept. */
static void take_and_keep(struct self *self)
{
	unsigned int n = 1 + below(&self->random, PICKED);

	pick_tokens(self, self->kept, n);
	self->n_kept = n;
	self->keeping = add_take(self, one_in(&self->random, 2) ? WAIT_FOR_ALL :
								  WAIT_FOR_ANY,
				 self->kept, n);
}

static void note_kept(struct self *self)
{
	const struct step *step = self->keeping;
	unsigned int index;

	if (!step)
		return;
	index = step->args.wait.index;
	if (step->operation == WAIT_FOR_ANY && index < self->n_kept) {
		self->kept[0] = self->kept[index];
		self->n_kept = 1;
	}
	for (unsigned int i = 0; i < self->n_kept; i++)
		note(self, self->kept[i]);
	self->keeping = NULL;
}

static void give_back_kept(struct self *self)
{
	for (unsigned int i = 0; i < self->n_kept; i++) {
		strike_out(self, self->kept[i]);
		if (one_in(&self->random, 2))
			add_look(self, self->kept[i]);
		add_give_back(self, self->kept[i]);
	}
	self->n_kept = 0;
}

/* The thread's own objects: each result is known, and the final states are the first. */

static int created(int fd)
{
	count(tally, CREATE, fd < 0 ? -fd : 0);
	if (fd < 0)
		wrong("create: errno %d", -fd);
	return fd;
}

static void create_own(struct self *self)
{
	self->manual = one_in(&self->random, 2);
	self->event = created(event_create(device, self->manual, 0));
	self->sem = created(sem_create(device, 0, OWN_SEM_MAX));
	self->mutex = created(mutex_create(device, 0, 0));
}

static void close_own(struct self *self)
{
	const int own[] = { self->event, self->sem, self->mutex };

	for (unsigned int i = 0; i < ARRAY_SIZE(own); i++) {
		int ret = close(own[i]);

		count(tally, CLOSE, ret ? errno : 0);
		if (ret)
			wrong("close: errno %d", errno);
	}
}

static void own_event(struct self *self)
{
	struct list *list = &self->list;
	int event = self->event;

	add_wait(list, device, WAIT_FOR_ANY, &event, 1, self->owner, 0, -ETIMEDOUT);
	for (unsigned int i = 0; i < 4; i++) {
		add_event(list, SET, event, just(0));
		add_wait(list, device, WAIT_FOR_ANY, &event, 1, self->owner, FOREVER, 0);
		add_event(list, RESET, event, just(self->manual));
		add_event(list, PULSE, event, just(0));
	}
}

static void own_sem(struct self *self)
{
	struct list *list = &self->list;
	int sem = self->sem;

	for (unsigned int i = 0; i < OWN_SEM_MAX; i++)
		add_release(list, sem, 0, just(i));
	add_release(list, sem, -EOVERFLOW, ANY_VALUE);
	for (unsigned int i = 0; i <= OWN_SEM_MAX; i++)
		add_wait(list, device, WAIT_FOR_ALL, &sem, 1, self->owner, 0,
			 i < OWN_SEM_MAX ? 0 : -ETIMEDOUT);
}

static void own_mutex(struct self *self)
{
	struct list *list = &self->list;
	int mutex = self->mutex;

	for (unsigned int i = 0; i < 3; i++)
		add_wait(list, device, WAIT_FOR_ANY, &mutex, 1, self->owner, FOREVER, 0);
	add_unlock(list, mutex, self->owner, 0, just(3));
	add_unlock(list, mutex, self->owner + 1, -EPERM, ANY_VALUE);
	add_declare_dead(list, mutex, self->owner + 1, -EPERM);
	add_declare_dead(list, mutex, self->owner, 0);
	add_wait(list, device, WAIT_FOR_ALL, &mutex, 1, self->owner, 0, -EOWNERDEAD);
	add_unlock(list, mutex, self->owner, 0, just(1));
}

/* Events that all threads signal: most results are not known. */

static void disturb(struct self *self)
{
	static const enum operation signals[] = { SET, SET, RESET, PULSE };

	for (unsigned int i = 0; i < 8; i++)
		add_event(&self->list, one_of(&self->random, signals),
			  one_of(&self->random, loose), RANGE(0, 1));
}

static void poll_some(struct self *self)
{
	for (unsigned int i = 0; i < 8; i++) {
		unsigned int n = 1 + below(&self->random, LOOSE);
		bool all = one_in(&self->random, 2);
		uint64_t timeout = one_in(&self->random, 16) ?
			clock_ns(CLOCK_MONOTONIC) + below(&self->random, 50000) : 0;
		struct step *step;

		step = add_wait(&self->list, device, all ? WAIT_FOR_ALL : WAIT_FOR_ANY,
				loose, n, self->owner, timeout, 0);
		step->other_answer = -ETIMEDOUT;
	}
}

/* Threads, processes */

/* Makes the calls of a list, counts them, and checks what they returned. */
static void make(struct self *self)
{
	struct list *list = &self->list;
	char why[200];
	int ret = make_calls(ioctls, list);

	if (ret) {
		wrong("the calls of a list: errno %d", -ret);
		return;
	}
	for (unsigned int i = 0; i < list->n; i++) {
		long long answer = list->calls[i].answer;

		count(tally, list->steps[i].operation, answer < 0 ? -answer : 0);
		if (!answers_right(&list->steps[i], answer, why, sizeof(why)))
			wrong("%s", why);
	}
}

static void *run(void *arg)
{
	static void (*const batches[])(struct self *self) = {
		own_event, own_sem, own_mutex, disturb, poll_some,
	};
	struct self *self = arg;

	create_own(self);
	while (!shared->stop) {
		unsigned int n = 1 + below(&self->random, MAX_BATCHES);

		self->list.n = 0;
		give_back_kept(self);
		for (unsigned int i = 0; i < n; i++)
			one_of(&self->random, batches)(self);
		take_some(self);
		if (one_in(&self->random, 4))
			take_and_keep(self);
		make(self);
		note_kept(self);
		if (one_in(&self->random, 64)) {
			close_own(self);
			create_own(self);
		}
	}
	self->list.n = 0;
	give_back_kept(self);
	make(self);
	close_own(self);
	shared->living--;
	return NULL;
}

static void run_process(unsigned int number)
{
	static struct self selves[MAX_THREADS];
	static pthread_t threads[MAX_THREADS];

	tally = &shared->tally[number];
	for (unsigned int i = 0; i < n_threads; i++) {
		selves[i].owner = 1000 * (number + 1) + 2 * i;
		selves[i].random = seed_of(seed, number, i, 0);
		if (pthread_create(&threads[i], NULL, run, &selves[i])) {
			tell("batch: cannot start a thread\n");
			exit(2);
		}
	}
	for (unsigned int i = 0; i < n_threads; i++)
		pthread_join(threads[i], NULL);
}

static void create_objects(void)
{
	device = ntsync_open();
	if (device < 0) {
		tell("batch: cannot use /dev/ntsync (is the module loaded?)\n");
		exit(2);
	}
	ioctls = open("/dev/ioctls", O_RDONLY | O_CLOEXEC);
	if (ioctls < 0) {
		tell("batch: cannot use /dev/ioctls (is tests/modules/ioctls.ko loaded?)\n");
		exit(2);
	}
	for (unsigned int i = 0; i < TOKENS; i++)
		tokens[i] = i < SEM_END ? sem_create(device, SEM_MAX, SEM_MAX) :
			    is_mutex(i) ? mutex_create(device, 0, 0) :
					  event_create(device, 0, 1);
	for (unsigned int i = 0; i < LOOSE; i++)
		loose[i] = event_create(device, i % 2, 0);
}

/* At the end each token must be in its first state. */
static void check_tokens(void)
{
	struct ntsync_event_args event = { 0 };
	struct ntsync_mutex_args mutex = { 0 };
	struct ntsync_sem_args sem = { 0 };

	for (unsigned int i = SEM; i < SEM_END; i++)
		if (sem_read(tokens[i], &sem) || sem.count != SEM_MAX)
			wrong("semaphore %u has %u at the end", i, sem.count);
	for (unsigned int i = EVENT; i < EVENT_END; i++)
		if (event_read(tokens[i], &event) || !event.signaled)
			wrong("event %u is not set at the end", i);
	for (unsigned int i = MUTEX; i < MUTEX_END; i++)
		if (mutex_read(tokens[i], &mutex) || mutex.owner)
			wrong("mutex %u is owned by %u at the end", i, mutex.owner);
}

/* Supervision */

static uint64_t begin;

static double seconds_passed(void)
{
	return (clock_ns(CLOCK_MONOTONIC) - begin) / 1e9;
}

static uint64_t sum_calls(struct totals *totals)
{
	uint64_t calls = 0;

	memset(totals, 0, sizeof(*totals));
	for (unsigned int i = 0; i < n_processes; i++)
		add_up(totals, &shared->tally[i]);
	for (unsigned int i = 0; i < OPERATIONS; i++)
		calls += sum_operation(totals, i);
	return calls;
}

/* Have all threads ended?  Finds threads that are stuck. */
static bool watch(void)
{
	double moved = 0, told = 0;
	uint64_t calls, before = 0;
	struct totals totals;

	while (shared->living) {
		pause_ns(200000000);
		calls = sum_calls(&totals);
		if (calls != before)
			moved = seconds_passed();
		before = calls;
		if (seconds_passed() - moved > stuck_seconds) {
			tell("batch: WRONG: %u threads have not moved for %u s\n",
			     shared->living, stuck_seconds);
			return false;
		}
		if (seconds_passed() - told >= PROGRESS_SECONDS) {
			told = seconds_passed();
			tell("batch: %.0f s, %llu calls\n", told,
			     (unsigned long long)calls);
		}
		if ((calls_wanted && calls >= calls_wanted) ||
		    (seconds_wanted && seconds_passed() >= seconds_wanted))
			shared->stop = 1;
	}
	return true;
}

static void report(bool served)
{
	struct totals totals;
	uint64_t calls = sum_calls(&totals);

	print_totals(&totals, "batch", operation_name, OPERATIONS);
	printf("# %llu calls in %.0f s, %.0f a second; made in lists\n",
	       (unsigned long long)calls, seconds_passed(),
	       calls / seconds_passed());
	if (shared->wrong)
		printf("# to repeat: SEED=%llu\n", seed);
	printf("1..2\n");
	printf("%sok 1 no token was lost or held twice, and every call had the right result\n",
	       shared->wrong ? "not " : "");
	printf("%sok 2 every waiter was served\n", served ? "" : "not ");
}

static void explain(void)
{
	tell("usage: batch [--calls N] [--seconds N] [--seed N] [--processes N]\n"
	     "             [--threads N] [--stuck N]\n"
	     "Runs processes (%u, at most %u) of N threads each (%u, at most %u) until there\n"
	     "were N calls or N seconds have passed.  If no call has returned for %u seconds,\n"
	     "or N, its thread is stuck.\n",
	     n_processes, MAX_PROCESSES, n_threads, MAX_THREADS, stuck_seconds);
	exit(2);
}

static void read_options(int argc, char **argv)
{
	for (int i = 1; i < argc; i += 2) {
		unsigned long long value;

		if (i + 1 == argc)
			explain();
		value = number("batch", argv[i], argv[i + 1]);
		if (!strcmp(argv[i], "--calls"))
			calls_wanted = value;
		else if (!strcmp(argv[i], "--seconds"))
			seconds_wanted = value;
		else if (!strcmp(argv[i], "--seed"))
			seed = value;
		else if (!strcmp(argv[i], "--processes") && value <= MAX_PROCESSES)
			n_processes = value;
		else if (!strcmp(argv[i], "--threads") && value <= MAX_THREADS)
			n_threads = value;
		else if (!strcmp(argv[i], "--stuck") && value <= STUCK_SECONDS)
			stuck_seconds = value;
		else
			explain();
	}
	if (!calls_wanted && !seconds_wanted)
		explain();
}

/*
 * Process i stays on processor i from the start, which makes user-mode Linux several times as
 * fast (see --pin of tests/vm/run).
 */
static void move_to(unsigned int i)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(i % sysconf(_SC_NPROCESSORS_ONLN), &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static void start_processes(pid_t *pids)
{
	for (unsigned int i = 0; i < n_processes; i++) {
		move_to(i);
		pids[i] = fork();
		if (!pids[i]) {
			run_process(i);
			_exit(0);
		}
		if (pids[i] < 0) {
			tell("batch: cannot fork: %s\n", strerror(errno));
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	pid_t pids[MAX_PROCESSES];
	bool served;

	begin = clock_ns(CLOCK_MONOTONIC);
	seed = begin ^ getpid();
	read_options(argc, argv);
	tell("batch: seed %llu\n", seed);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		tell("batch: no memory\n");
		return 2;
	}
	create_objects();
	shared->living = n_processes * n_threads;
	start_processes(pids);
	served = watch();
	for (unsigned int i = 0; i < n_processes; i++) {
		if (!served)
			kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	if (served)
		check_tokens();
	report(served);
	return shared->wrong || !served;
}
