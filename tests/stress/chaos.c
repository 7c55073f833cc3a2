// SPDX-License-Identifier: GPL-2.0
/*
 * Processes with hundreds of threads that share objects and are killed, one after the other
 * and at any point.  Even so, nothing may be lost, and nothing may be held twice.
 *
 * A cell is an instance with some tokens: semaphores with a few each, auto-reset events and
 * mutexes.  Threads take tokens, hold them and return them.  A wait-for-all takes a token
 * together with the thread's receipt, a mutex that only this thread uses.  So after the thread
 * has been killed, the owner of the receipt shows whether it had the tokens, and the process
 * that manages the cell returns them.  Mutexes show it themselves.  Threads of a process that
 * is never killed also take tokens by waits-for-any.
 *
 * A round ends when no more processes or threads are killed.  An event, the bell, which is the
 * alert of all waits so far, is set, and threads wait without a deadline for tokens that are all
 * available: if one is not served, a wake was lost.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "passing.h"
#include "stress.h"

#define MAX_CELLS	4
#define CLIENTS		4	/* per cell; the first is not killed */
#define MAX_THREADS	300	/* per client */

/* How many threads of a client in a cgroup create objects until it is killed. */
#define HOARDERS	4

/* How often each thread must be served after the bell. */
#define LAST_WAITS	1

/* Memory that a client in a cgroup may use in addition to what it starts with. */
#define CGROUP_BYTES	(512 << 10)

enum token {
	SEM, SEM_END = SEM + 2,
	EVENT = SEM_END, EVENT_END = EVENT + 2,
	MUTEX = EVENT_END, MUTEX_END = MUTEX + 4,
	TOKENS = MUTEX_END, NO_TOKEN = TOKENS,
};

#define SEM_TOKENS	4

/* The objects of a cell, in the order in which they are passed on. */
enum object {
	DEVICE = TOKENS, BELL, PULSED, PULSED_AUTO, OBJECTS,
};

enum operation {
	OPEN, CREATE, WAIT_FOR_ANY, WAIT_FOR_ALL, RELEASE, SET, PULSE, UNLOCK,
	DECLARE_DEAD, READ, CLOSE, CLIENT_START, CLIENT_KILL, CLIENT_OOM,
	CLIENT_STOP, THREAD_END, INTERRUPT, ROUND, OPERATIONS,
};

static const char *const operation_name[] = {
	"open", "create", "wait any", "wait all", "sem release", "event set",
	"event pulse", "mutex unlock", "mutex kill", "read", "close",
	"process start", "SIGKILL", "OOM kill", "SIGSTOP", "thread end",
	"SIGUSR1", "round",
};

/*
 * One thread, as seen by the one that cleans up after it.
 * @owner: its owner, never used before in this cell
 * @wants: the tokens of its wait for all, besides its receipt
 * @has: tokens that it has.  If there are none, but it owns the receipt, it has
 *	what it wants and had no time to record this
 * @gives: the token that it is returning
 */
struct member {
	atomic_uint owner;
	atomic_uint wants;
	atomic_uint has;
	atomic_uint gives;
	atomic_uint moves;
};

/*
 * What is known about a token.
 * @holder: of an exclusive one, the thread that has it
 * @kills, @dead: how often a mutex was abandoned, and how often this was reported
 * @doubts: how often it was being returned when its holder died
 */
struct token_state {
	atomic_uint holder;
	atomic_uint kills;
	atomic_uint dead;
	atomic_uint doubts;
};

/* In CALM clients kill no more threads, and DRAIN begins when none does. */
enum phase { RUN, CALM, DRAIN };

struct cell {
	atomic_uint phase;
	atomic_uint calm;	/* clients that kill no more threads */
	atomic_uint last_owner;
	atomic_uint sober;	/* no more processes that use up memory */
	struct token_state tokens[TOKENS];
	struct member members[CLIENTS][MAX_THREADS];
	struct tally tally;
	atomic_uint rounds;
	atomic_uint ooms;	/* processes killed for lack of memory */
	atomic_uint round_ooms;
};

struct shared {
	atomic_uint stop;
	atomic_uint late;	/* stop waiting for rare events */
	atomic_uint wrong;
	atomic_uint stuck;
	struct cell cells[MAX_CELLS];
};

static struct shared *shared;
static unsigned int n_threads = 100;
static unsigned int n_cells = 2;
static unsigned int stuck_seconds = STUCK_SECONDS;
static bool cgroups;
static int usual_priority;

/* The cell of this process, and its descriptors. */
static unsigned int cell_number;
static struct cell *cell;
static int objects[OBJECTS];
static int receipts[CLIENTS][MAX_THREADS];

#define wrong(format, ...)						\
	tell_wrong(&shared->wrong, &shared->stop,			\
		   "chaos: WRONG: cell %u, round %u: " format "\n",		\
		   cell_number, cell->rounds, ##__VA_ARGS__)

static int counted(enum operation operation, int ret)
{
	count(&cell->tally, operation, ret < 0 ? -ret : 0);
	return ret;
}

static bool exclusive(unsigned int token)
{
	return token >= SEM_END;
}

static bool is_mutex(unsigned int token)
{
	return token >= MUTEX && token < MUTEX_END;
}

/* Tokens that may be lost are no longer waited for. */
static bool reliable(unsigned int token)
{
	return cell->tokens[token].doubts == 0 ||
	       (token < SEM_END &&
		cell->tokens[token].doubts < SEM_TOKENS - 1);
}

/* Taking and returning a token */

static void enter_mutex(unsigned int token, bool dead)
{
	struct token_state *state = &cell->tokens[token];

	/* Only the owner, or the thread that cleans up after it, gets here. */
	if (dead)
		state->dead++;
	if (state->dead != state->kills)
		wrong("mutex %u was abandoned %u times, which was told %u times",
		      token, state->kills, state->dead);
}

static void enter(unsigned int token, unsigned int owner, bool dead)
{
	unsigned int nobody = 0;

	if (!exclusive(token))
		return;
	if (!atomic_compare_exchange_strong(&cell->tokens[token].holder,
					    &nobody, owner))
		wrong("token %u was given to %u while %u has it", token, owner,
		      nobody);
	if (is_mutex(token))
		enter_mutex(token, dead);
}

static void leave(unsigned int token, unsigned int owner)
{
	unsigned int me = owner;

	if (exclusive(token) &&
	    !atomic_compare_exchange_strong(&cell->tokens[token].holder, &me, 0))
		wrong("token %u of %u is held by %u", token, owner, me);
}

static void signal_token(unsigned int token, unsigned int owner)
{
	uint32_t value = 1;
	int ret;

	if (token < SEM_END) {
		ret = counted(RELEASE, sem_release(objects[token], &value));
	} else if (token < EVENT_END) {
		ret = counted(SET, event_set(objects[token], &value));
		if (!ret && value)
			wrong("event %u was set while a thread had it", token);
	} else {
		ret = counted(UNLOCK, mutex_unlock(objects[token], owner,
						   &value));
		if (!ret && value != 1)
			wrong("mutex %u had count %u", token, value);
	}
	if (ret)
		wrong("giving back token %u: errno %d", token, -ret);
}

static void give_back(struct member *me, unsigned int token)
{
	leave(token, me->owner);
	me->gives = token;
	signal_token(token, me->owner);
	me->has &= ~(1u << token);
	me->gives = NO_TOKEN;
}

/* Cleaning up after dead threads */

static bool owns(int mutex, unsigned int owner)
{
	struct ntsync_mutex_args args = { 0 };
	int ret = counted(READ, mutex_read(mutex, &args));

	if (ret && ret != -EOWNERDEAD)
		wrong("reading a mutex: errno %d", -ret);
	return args.owner == owner;
}

static void settle_mutex(unsigned int token, unsigned int owner)
{
	struct token_state *state = &cell->tokens[token];
	int ret;

	if (!owns(objects[token], owner))
		return;
	/* It may have died before it could record that it was told. */
	state->dead = (unsigned int)state->kills;
	state->kills++;
	ret = counted(DECLARE_DEAD, mutex_kill(objects[token], owner));
	if (ret)
		wrong("mutex %u of a dead owner: errno %d", token, -ret);
}

/* The receipt is made usable for the next thread. */
static void settle_receipt(int receipt, unsigned int owner)
{
	struct ntsync_mutex_args args;
	int ret;

	if (owns(receipt, owner))
		counted(DECLARE_DEAD, mutex_kill(receipt, owner));
	if (counted(READ, mutex_read(receipt, &args)) != -EOWNERDEAD)
		return;
	ret = counted(WAIT_FOR_ANY, wait_any(objects[DEVICE], &receipt, 1,
					     owner, 0, 0, NULL));
	if (ret != -EOWNERDEAD)
		wrong("an abandoned receipt is acquired with errno %d", -ret);
	ret = counted(UNLOCK, mutex_unlock(receipt, owner, NULL));
	if (ret)
		wrong("unlocking a receipt: errno %d", -ret);
}

static void settle_token(struct member *member, unsigned int token)
{
	unsigned int owner = member->owner, dead = owner;

	atomic_compare_exchange_strong(&cell->tokens[token].holder, &dead, 0);
	if (is_mutex(token)) {
		settle_mutex(token, owner);
	} else if (member->gives == token) {
		cell->tokens[token].doubts++;
	} else if (member->has & (1u << token)) {
		member->gives = token;
		signal_token(token, owner);
	}
	member->has &= ~(1u << token);
	member->gives = NO_TOKEN;
}

/*
 * Returns what a dead thread had.  The thread that does so may be killed too, and then
 * another one continues.
 */
static void settle(struct member *member, int receipt)
{
	bool receipted;

	if (!member->owner)
		return;
	receipted = owns(receipt, member->owner);
	if (receipted && !member->has)
		member->has = (unsigned int)member->wants;
	else if (!receipted && member->has & ((1u << MUTEX) - 1))
		wrong("%u had tokens 0x%x without a receipt", member->owner,
		      member->has);
	member->wants = 0;
	/* First the one that it was returning. */
	if (member->gives != NO_TOKEN)
		settle_token(member, member->gives);
	for (unsigned int i = 0; i < TOKENS; i++)
		settle_token(member, i);
	settle_receipt(receipt, member->owner);
	member->owner = 0;
}

/* Threads */

struct self {
	struct member *member;
	unsigned int owner;
	int receipt;
	bool mortal;
	bool hoards;
	bool drains;	/* no token can be lost any more */
	uint64_t random;
};

static unsigned int pick_token(struct self *self)
{
	unsigned int token;

	do {
		token = below(&self->random, TOKENS);
	} while (!reliable(token));
	return token;
}

/* Picks some tokens, at most one of which is a mutex. */
static unsigned int pick_tokens(struct self *self)
{
	unsigned int tokens = 0, n = 1 + below(&self->random, 3);

	while (n--) {
		unsigned int token = pick_token(self);

		if (!is_mutex(token) || !(tokens >> MUTEX))
			tokens |= 1u << token;
	}
	return tokens;
}

static uint64_t pick_timeout(struct self *self)
{
	if (self->drains)
		return FOREVER;
	switch (below(&self->random, 16)) {
	case 0:
		return 0;
	case 1 ... 3:
		return clock_ns(CLOCK_MONOTONIC) + below(&self->random, 3000000);
	default:
		return FOREVER;
	}
}

/* Waits with the timeout and alert of this phase; true if it acquired the objects. */
static bool wait_for(struct self *self, bool all, const int *objs, uint32_t n,
		     uint32_t *index, bool *dead)
{
	int alert = self->drains ? 0 : objects[BELL];
	int ret;

	*index = UINT32_MAX;
	ret = wait_call(objects[DEVICE], all ? NTSYNC_IOC_WAIT_ALL :
					       NTSYNC_IOC_WAIT_ANY,
			objs, n, self->owner, pick_timeout(self), alert, index);
	counted(all ? WAIT_FOR_ALL : WAIT_FOR_ANY, ret);
	*dead = ret == -EOWNERDEAD;
	if (!ret || *dead)
		return *index != n;
	if (ret != -ETIMEDOUT && ret != -EINTR && ret != -ENOMEM)
		wrong("wait: errno %d", -ret);
	return false;
}

static void hold(struct self *self)
{
	switch (below(&self->random, 8)) {
	case 0:
		pause_ns(below(&self->random, 300000));
		break;
	case 1 ... 3:
		sched_yield();
		break;
	default:
		break;
	}
}

static void give_all_back(struct self *self)
{
	for (unsigned int i = 0; i < TOKENS; i++)
		if (self->member->has & (1u << i))
			give_back(self->member, i);
}

/* Takes tokens and the receipt together. */
static bool take_all(struct self *self)
{
	unsigned int tokens = pick_tokens(self);
	int objs[TOKENS + 1];
	uint32_t index, n = 0, count = 0;
	bool dead;
	int ret;

	for (unsigned int i = 0; i < TOKENS; i++)
		if (tokens & (1u << i))
			objs[n++] = objects[i];
	/* At any place among them. */
	index = below(&self->random, n + 1);
	objs[n] = objs[index];
	objs[index] = self->receipt;

	self->member->wants = tokens;
	if (!wait_for(self, true, objs, n + 1, &index, &dead)) {
		self->member->wants = 0;
		return false;
	}
	if (index)
		wrong("wait for all: index %u", index);
	self->member->has = tokens;
	self->member->wants = 0;
	if (dead && !(tokens >> MUTEX))
		wrong("wait for all: EOWNERDEAD without an abandoned mutex");
	for (unsigned int i = 0; i < TOKENS; i++)
		if (tokens & (1u << i))
			enter(i, self->owner, dead && is_mutex(i));
	hold(self);
	give_all_back(self);
	ret = counted(UNLOCK, mutex_unlock(self->receipt, self->owner, &count));
	if (ret || count != 1)
		wrong("a receipt had count %u, errno %d", count, -ret);
	return true;
}

/*
 * Takes one of several.  There is no receipt, so only mutexes show that a dead thread had
 * them; other tokens are taken only by threads that are not killed.
 */
static bool take_any(struct self *self)
{
	int objs[8];
	unsigned int tokens[8];
	uint32_t index, n = 1 + below(&self->random, 8);
	bool dead;

	for (uint32_t i = 0; i < n; i++) {
		tokens[i] = self->mortal ? MUTEX + below(&self->random, 4)
					 : pick_token(self);
		objs[i] = objects[tokens[i]];
	}
	if (!wait_for(self, false, objs, n, &index, &dead))
		return false;
	if (index >= n) {
		wrong("wait for any of %u: index %u", n, index);
		return false;
	}
	self->member->has = 1u << tokens[index];
	if (dead && !is_mutex(tokens[index]))
		wrong("wait for any: EOWNERDEAD without an abandoned mutex");
	enter(tokens[index], self->owner, dead);
	hold(self);
	give_all_back(self);
	return true;
}

/* Pulses an event that is never set otherwise, or waits for it for a short time. */
static void be_pulsed(struct self *self)
{
	int objs[2] = { objects[PULSED], objects[PULSED_AUTO] };
	uint32_t index, value = 0;
	bool dead;

	if (one_in(&self->random, 4)) {
		counted(PULSE, event_pulse(objs[below(&self->random, 2)],
					   &value));
		if (value)
			wrong("a pulsed event was seen set");
	} else if (!self->drains) {
		wait_for(self, one_in(&self->random, 4), objs, 2, &index, &dead);
	}
}

static int create(uint64_t *random, int dev)
{
	switch (below(random, 3)) {
	case 0:
		return counted(CREATE, sem_create(dev, 1, 2));
	case 1:
		return counted(CREATE, mutex_create(dev, 1, 1));
	default:
		return counted(CREATE, event_create(dev, draw(random) & 1, 1));
	}
}

/* A private instance, closed in any order. */
static void live_elsewhere(struct self *self)
{
	int i, n = 1 + below(&self->random, 6), fds[7];

	fds[n] = counted(OPEN, ntsync_open());
	if (fds[n] < 0)
		return;
	for (i = 0; i < n; i++)
		fds[i] = create(&self->random, fds[n]);
	counted(WAIT_FOR_ANY, wait_any(fds[n], fds, n, 1 + draw(&self->random) % 2,
				       0, 0, NULL));
	if (one_in(&self->random, 2)) {
		i = fds[0];
		fds[0] = fds[n];
		fds[n] = i;
	}
	for (i = 0; i <= n; i++)
		if (fds[i] >= 0)
			counted(CLOSE, close(fds[i]) ? -errno : 0);
}

/* After the bell no process may be killed, so none may use up memory. */
static bool hoarding(void)
{
	return cgroups && !cell->sober;
}

/* Until the limit of the cgroup kills the process. */
static void hoard(struct self *self)
{
	for (int i = 0; i < 64 && cell->phase == RUN; i++)
		if (create(&self->random, objects[DEVICE]) < 0)
			pause_ns(1000000);
}

static bool act(struct self *self)
{
	bool took = false;

	if (self->hoards && cell->phase == RUN) {
		hoard(self);
		return false;
	}
	switch (below(&self->random, 16)) {
	case 0:
		live_elsewhere(self);
		break;
	case 1 ... 2:
		be_pulsed(self);
		break;
	case 3 ... 7:
		took = take_any(self);
		break;
	default:
		took = take_all(self);
		break;
	}
	self->member->moves++;
	return took;
}

static void *thread_main(void *data)
{
	struct self *self = data;
	int last = LAST_WAITS;

	/* Runs at normal priority, unlike its process. */
	if (!self->hoards)
		setpriority(PRIO_PROCESS, 0, usual_priority);
	while (last && !shared->wrong) {
		self->drains = cell->phase == DRAIN;
		if (act(self) && self->drains)
			last--;
	}
	return NULL;
}

/* Clients */

static void nothing_happens(int signal)
{
	(void)signal;
}

/* The thread exits here, whatever it was doing. */
static void end_thread(int signal)
{
	(void)signal;
	syscall(SYS_exit, 0);
}

/* Passes a client its descriptors, one message at a time. */
static bool pass_fds(int (*pass)(int sock, int *fds, unsigned int n), int sock,
		     unsigned int client)
{
	if (pass(sock, objects, OBJECTS))
		return false;
	for (unsigned int i = 0; i < n_threads; i += MAX_PASSED) {
		unsigned int n = n_threads - i;

		if (pass(sock, &receipts[client][i], n < MAX_PASSED ? n : MAX_PASSED))
			return false;
	}
	return true;
}

static int send_some(int sock, int *fds, unsigned int n)
{
	return send_fds(sock, fds, n);
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written;

	if (fd < 0)
		return false;
	written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return written;
}

static unsigned long read_number(const char *path)
{
	unsigned long value = 0;
	FILE *file = fopen(path, "re");

	if (!file)
		return 0;
	if (fscanf(file, "%lu", &value) != 1)
		value = 0;
	fclose(file);
	return value;
}

static void cgroup_path(char *path, size_t size, unsigned int client,
			const char *file)
{
	snprintf(path, size, "/sys/fs/cgroup/chaos-%u-%u/%s", cell_number,
		 client, file);
}

/* Limits the calling process to its current memory and a little more. */
static void limit_memory(unsigned int client)
{
	char path[96], text[32];

	cgroup_path(path, sizeof(path), client, "memory.current");
	snprintf(text, sizeof(text), "%lu", read_number(path) + CGROUP_BYTES);
	cgroup_path(path, sizeof(path), client, "memory.max");
	write_file(path, text);
}

/* There is no limit while it starts. */
static void enter_cgroup(unsigned int client)
{
	char path[96];

	cgroup_path(path, sizeof(path), client, "memory.max");
	write_file(path, "max");
	cgroup_path(path, sizeof(path), client, "cgroup.procs");
	if (!write_file(path, "0"))
		wrong("a process cannot enter its cgroup");
	/* With so many other threads, it and its hoarders would not get far otherwise. */
	setpriority(PRIO_PROCESS, 0, usual_priority - 15);
}

static pthread_t threads[MAX_THREADS];
static struct self selves[MAX_THREADS];

static void start_thread(unsigned int client, unsigned int i, uint64_t *random)
{
	struct self *self = &selves[i];
	pthread_attr_t attr;
	int ret;

	*self = (struct self) {
		.member = &cell->members[client][i],
		.owner = ++cell->last_owner,
		.receipt = receipts[client][i],
		.mortal = client != 0,
		.hoards = client == 1 && i < HOARDERS && hoarding(),
		.random = seed_of(*random, client, i, draw(random)),
	};
	self->member->wants = 0;
	self->member->has = 0;
	self->member->gives = NO_TOKEN;
	self->member->owner = self->owner;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	ret = pthread_create(&threads[i], &attr, thread_main, self);
	pthread_attr_destroy(&attr);
	if (ret)
		wrong("no thread %u: errno %d", i, ret);
}

/* Ends a thread at any point, and starts another. */
static void replace_thread(unsigned int client, uint64_t *random)
{
	unsigned int i = below(random, n_threads);

	if (selves[i].hoards)
		return;
	pthread_kill(threads[i], SIGUSR2);
	pthread_join(threads[i], NULL);
	count(&cell->tally, THREAD_END, 0);
	settle(selves[i].member, receipts[client][i]);
	start_thread(client, i, random);
}

static void be_a_nuisance(unsigned int client, uint64_t *random)
{
	pause_ns(below(random, 20000000));
	for (unsigned int i = below(random, 8); i; i--) {
		pthread_kill(threads[below(random, n_threads)], SIGUSR1);
		count(&cell->tally, INTERRUPT, 0);
	}
	if (client && one_in(random, 2))
		replace_thread(client, random);
}

static int client_main(unsigned int client, int sock, uint64_t random)
{
	struct sigaction action = { .sa_handler = nothing_happens };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (client == 1 && hoarding())
		enter_cgroup(client);
	if (!pass_fds(receive_fds, sock, client))
		return 4;
	close(sock);
	action.sa_flags = draw(&random) & 1 ? SA_RESTART : 0;
	sigaction(SIGUSR1, &action, NULL);
	action.sa_handler = end_thread;
	sigaction(SIGUSR2, &action, NULL);
	/* The hoarders, which come first, are started last. */
	for (unsigned int i = n_threads; i--; ) {
		if (i == HOARDERS - 1 && client == 1 && hoarding())
			limit_memory(client);
		start_thread(client, i, &random);
	}
	while (cell->phase == RUN && !shared->wrong)
		be_a_nuisance(client, &random);
	cell->calm++;
	for (unsigned int i = 0; i < n_threads; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

/* The process that manages a cell */

static pid_t clients[CLIENTS];

static void start_client(unsigned int client, uint64_t *random)
{
	uint64_t its_random = seed_of(*random, client, draw(random), 0);
	int socks[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks)) {
		wrong("no socket: errno %d", errno);
		return;
	}
	clients[client] = fork();
	if (!clients[client]) {
		int sock = dup2(socks[1], STDERR_FILENO + 1);

		/* It has only what it receives over the socket. */
		close_range(STDERR_FILENO + 2, ~0U, 0);
		_exit(client_main(client, sock, its_random));
	}
	count(&cell->tally, CLIENT_START, clients[client] < 0 ? errno : 0);
	close(socks[1]);
	if (!pass_fds(send_some, socks[0], client) && !cgroups)
		wrong("cannot pass descriptors: errno %d", errno);
	close(socks[0]);
}

static void settle_client(unsigned int client)
{
	for (unsigned int i = 0; i < n_threads; i++)
		settle(&cell->members[client][i], receipts[client][i]);
	clients[client] = 0;
}

static void kill_client(unsigned int client, uint64_t *random)
{
	int status;

	if (!clients[client])
		return;
	kill(clients[client], SIGKILL);
	waitpid(clients[client], &status, 0);
	count(&cell->tally, CLIENT_KILL, 0);
	settle_client(client);
	start_client(client, random);
}

static void stop_client(unsigned int client, uint64_t *random)
{
	kill(clients[client], SIGSTOP);
	pause_ns(below(random, 10000000));
	kill(clients[client], SIGCONT);
	count(&cell->tally, CLIENT_STOP, 0);
}

/* One whose cgroup ran out of memory has been killed; all others must be alive. */
static void look_for_dead(uint64_t *random)
{
	int status;

	for (unsigned int i = 0; i < CLIENTS; i++) {
		if (!clients[i] || waitpid(clients[i], &status, WNOHANG) <= 0)
			continue;
		if (i != 1 || !cgroups || !WIFSIGNALED(status) ||
		    WTERMSIG(status) != SIGKILL) {
			wrong("client %u ended with status 0x%x", i, status);
			return;
		}
		count(&cell->tally, CLIENT_OOM, 0);
		cell->ooms++;
		cell->round_ooms++;
		settle_client(i);
		start_client(i, random);
	}
}

static void create_cell(void)
{
	int dev = counted(OPEN, ntsync_open());
	uint64_t random = 1;

	objects[DEVICE] = dev;
	for (int i = SEM; i < SEM_END; i++)
		objects[i] = sem_create(dev, SEM_TOKENS, SEM_TOKENS);
	for (int i = EVENT; i < EVENT_END; i++)
		objects[i] = event_create(dev, 0, 1);
	for (int i = MUTEX; i < MUTEX_END; i++)
		objects[i] = mutex_create(dev, 0, 0);
	objects[BELL] = event_create(dev, 1, 0);
	objects[PULSED] = event_create(dev, 1, 0);
	objects[PULSED_AUTO] = event_create(dev, 0, 0);
	for (int i = 0; i < OBJECTS; i++)
		if (objects[i] < 0)
			wrong("object %d: errno %d", i, -objects[i]);
	for (unsigned int i = 0; i < CLIENTS; i++)
		for (unsigned int j = 0; j < n_threads; j++)
			receipts[i][j] = counted(CREATE, mutex_create(dev, 0, 0));
	memset(cell->tokens, 0, sizeof(cell->tokens));
	memset(cell->members, 0, sizeof(cell->members));
	cell->last_owner = 0;
	cell->sober = 0;
	cell->calm = 0;
	cell->phase = RUN;
	for (unsigned int i = 0; i < CLIENTS; i++)
		start_client(i, &random);
}

static void drop_cell(void)
{
	for (unsigned int i = 0; i < OBJECTS; i++)
		close(objects[i]);
	for (unsigned int i = 0; i < CLIENTS; i++)
		for (unsigned int j = 0; j < n_threads; j++)
			close(receipts[i][j]);
}

/* Exactly what was taken must have been returned. */

static void check_sem(unsigned int token)
{
	struct ntsync_sem_args args = { 0 };
	unsigned int doubts = cell->tokens[token].doubts;

	counted(READ, sem_read(objects[token], &args));
	if (args.count > SEM_TOKENS || args.count + doubts < SEM_TOKENS)
		wrong("semaphore %u has %u of %u tokens, %u in doubt", token,
		      args.count, SEM_TOKENS, doubts);
}

static void check_event(unsigned int token)
{
	struct ntsync_event_args args = { 0 };

	counted(READ, event_read(objects[token], &args));
	if (!args.signaled && reliable(token))
		wrong("event %u is not set", token);
}

static void check_mutex(unsigned int token)
{
	struct token_state *state = &cell->tokens[token];
	struct ntsync_mutex_args args = { 0 };
	int ret = counted(READ, mutex_read(objects[token], &args));

	if (args.owner || args.count)
		wrong("mutex %u is owned by %u", token, args.owner);
	if (state->kills - state->dead != (ret == -EOWNERDEAD))
		wrong("mutex %u: errno %d; abandoned %u times, told %u times",
		      token, -ret, state->kills, state->dead);
}

static void check_cell(void)
{
	for (unsigned int i = SEM; i < SEM_END; i++)
		check_sem(i);
	for (unsigned int i = EVENT; i < EVENT_END; i++)
		check_event(i);
	for (unsigned int i = MUTEX; i < MUTEX_END; i++)
		check_mutex(i);
	for (unsigned int i = 0; i < TOKENS; i++)
		if (cell->tokens[i].holder)
			wrong("token %u is held by %u", i,
			      cell->tokens[i].holder);
	for (unsigned int i = 0; i < CLIENTS; i++)
		for (unsigned int j = 0; j < n_threads; j++)
			if (!owns(receipts[i][j], 0))
				wrong("receipt %u of client %u is owned", j, i);
}

static unsigned int sum_moves(void)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < CLIENTS; i++)
		for (unsigned int j = 0; j < n_threads; j++)
			sum += cell->members[i][j].moves;
	return sum;
}

static void show_members(void)
{
	unsigned int shown = 0;

	for (unsigned int i = 0; i < CLIENTS; i++)
		for (unsigned int j = 0; j < n_threads && shown < 16; j++) {
			struct member *member = &cell->members[i][j];

			if (!member->owner || !(member->wants | member->has))
				continue;
			tell("chaos: owner %u of client %u wants 0x%x, has 0x%x\n",
			     member->owner, i, member->wants, member->has);
			shown++;
		}
}

/* What the driver says of the tokens, and who waits for them. */
static void show_tokens(void)
{
	char path[64], line[256];
	FILE *info;

	for (unsigned int i = 0; i < TOKENS; i++) {
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", objects[i]);
		info = fopen(path, "re");
		while (info && fgets(line, sizeof(line), info))
			tell("chaos: token %u: %s", i, line);
		if (info)
			fclose(info);
	}
}

/* Waits for the end of a client, unless its whole cell is stuck. */
static void await_client(unsigned int client)
{
	uint64_t since = clock_ns(CLOCK_MONOTONIC);
	unsigned int moves = sum_moves();
	int status;

	while (!waitpid(clients[client], &status, WNOHANG)) {
		if (shared->wrong)
			kill(clients[client], SIGKILL);
		if (moves != sum_moves()) {
			moves = sum_moves();
			since = clock_ns(CLOCK_MONOTONIC);
		} else if (clock_ns(CLOCK_MONOTONIC) - since >
			   stuck_seconds * NSEC_PER_SEC) {
			/* Processes that are stuck like this may not even be killable. */
			if (shared->stuck)
				return;
			shared->stuck = 1;
			wrong("client %u does not end: a wake was lost", client);
			show_members();
			show_tokens();
		}
		pause_ns(2000000);
	}
	if (status && !shared->wrong)
		wrong("client %u ended with status 0x%x", client, status);
}

static void drain(uint64_t *random)
{
	uint32_t value;

	cell->sober = 1;
	if (cgroups)
		kill_client(1, random);
	cell->phase = CALM;
	while (cell->calm < CLIENTS && !shared->wrong) {
		look_for_dead(random);
		pause_ns(2000000);
	}
	cell->phase = DRAIN;
	if (counted(SET, event_set(objects[BELL], &value)))
		wrong("the bell does not ring");
	for (unsigned int i = 0; i < CLIENTS; i++)
		await_client(i);
}

/*
 * At the end of the run, each cell still waits for its first kill for lack of memory, for at
 * most the same time again.
 */
static bool may_stop(void)
{
	bool enough = cell->ooms || !cgroups || shared->late;

	return shared->wrong || (shared->stop && enough);
}

/* The first may take longer than a round, on a slow machine. */
static bool waits_for_oom(uint64_t patience)
{
	return cgroups && !cell->round_ooms &&
	       (!cell->ooms || clock_ns(CLOCK_MONOTONIC) < patience);
}

/* A few kills and, unless that takes too long, one for lack of memory. */
static void run(uint64_t *random)
{
	unsigned int kills = 3 + below(random, 8), first = cgroups ? 2 : 1;
	uint64_t patience = clock_ns(CLOCK_MONOTONIC) + 10 * NSEC_PER_SEC;

	cell->round_ooms = 0;
	while ((kills || waits_for_oom(patience)) && !may_stop()) {
		pause_ns(below(random, 100000000));
		look_for_dead(random);
		if (one_in(random, 3)) {
			/* A client in a cgroup is not killed by us. */
			kill_client(first + below(random, CLIENTS - first),
				    random);
			kills -= kills > 0;
		} else if (one_in(random, 2)) {
			stop_client(below(random, CLIENTS), random);
		}
	}
}

static int cell_main(unsigned int number, uint64_t seed)
{
	uint64_t random = seed_of(seed, number, 0, 0);

	cell_number = number;
	cell = &shared->cells[number];
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!may_stop()) {
		create_cell();
		run(&random);
		drain(&random);
		if (!shared->wrong)
			check_cell();
		drop_cell();
		count(&cell->tally, ROUND, 0);
		cell->rounds++;
	}
	return 0;
}

/* The first process */

static uint64_t begin;

static void sum_cells(struct totals *totals)
{
	memset(totals, 0, sizeof(*totals));
	for (unsigned int i = 0; i < n_cells; i++)
		add_up(totals, &shared->cells[i].tally);
}

static unsigned long long seconds_passed(void)
{
	return (clock_ns(CLOCK_MONOTONIC) - begin) / NSEC_PER_SEC;
}

static uint64_t sum_calls(const struct totals *totals)
{
	uint64_t calls = 0;

	for (unsigned int i = OPEN; i <= CLOSE; i++)
		calls += sum_operation(totals, i);
	return calls;
}

static uint64_t sum_killed(const struct totals *totals)
{
	return sum_operation(totals, CLIENT_KILL) +
	       sum_operation(totals, CLIENT_OOM);
}

static void progress(void)
{
	struct totals totals;

	sum_cells(&totals);
	tell("chaos: %llu s, %llu rounds, %llu calls, %llu processes killed, %llu of them by OOM\n",
	     seconds_passed(),
	     (unsigned long long)sum_operation(&totals, ROUND),
	     (unsigned long long)sum_calls(&totals),
	     (unsigned long long)sum_killed(&totals),
	     (unsigned long long)sum_operation(&totals, CLIENT_OOM));
}

static void make_cgroups(void)
{
	char path[96];

	cgroups = write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	for (cell_number = 0; cgroups && cell_number < n_cells; cell_number++) {
		cgroup_path(path, sizeof(path), 1, "");
		if (mkdir(path, 0755) && errno != EEXIST)
			cgroups = false;
		cgroup_path(path, sizeof(path), 1, "memory.max");
		if (access(path, W_OK))
			cgroups = false;
	}
}

static void remove_cgroups(void)
{
	char path[96];

	for (cell_number = 0; cgroups && cell_number < n_cells; cell_number++) {
		cgroup_path(path, sizeof(path), 1, "");
		rmdir(path);
	}
}

static void report(unsigned long long seed)
{
	bool lost = shared->stuck, bad = shared->wrong > shared->stuck;
	struct totals totals;

	sum_cells(&totals);
	print_totals(&totals, "chaos", operation_name, OPERATIONS);
	printf("# %llu calls in %llu s, %.0f a second; %llu processes killed\n",
	       (unsigned long long)sum_calls(&totals), seconds_passed(),
	       sum_calls(&totals) / ((clock_ns(CLOCK_MONOTONIC) - begin) / 1e9),
	       (unsigned long long)sum_killed(&totals));
	if (shared->wrong)
		printf("# to repeat: SEED=%llu\n", seed);
	printf("1..3\n");
	printf("%sok 1 no token was lost or held twice, and dead owners were reported\n",
	       bad ? "not " : "");
	printf("%sok 2 every waiter was served\n", lost ? "not " : "");
	if (!cgroups)
		printf("ok 3 # SKIP no cgroup with a memory limit can be made\n");
	else if (!sum_operation(&totals, CLIENT_OOM))
		printf("ok 3 # SKIP no process reached its memory limit before the end\n");
	else
		printf("ok 3 processes were killed at their memory limit\n");
}

static void explain(void)
{
	tell("usage: chaos --seconds N [--seed N] [--cells N] [--threads N] [--stuck N]\n"
	     "Runs cells (at most %u) of %u processes with N threads each (at most %u).\n"
	     "A cell without progress for %u seconds, or N, is stuck.\n",
	     MAX_CELLS, CLIENTS, MAX_THREADS, STUCK_SECONDS);
	exit(2);
}

static void read_options(int argc, char **argv, unsigned long long *seconds,
			 unsigned long long *seed)
{
	for (int i = 1; i < argc; i += 2) {
		unsigned long long value;

		if (i + 1 == argc)
			explain();
		value = number("chaos", argv[i], argv[i + 1]);
		if (!strcmp(argv[i], "--seconds"))
			*seconds = value;
		else if (!strcmp(argv[i], "--seed"))
			*seed = value;
		else if (!strcmp(argv[i], "--cells") && value <= MAX_CELLS)
			n_cells = value;
		else if (!strcmp(argv[i], "--threads") && value <= MAX_THREADS)
			n_threads = value;
		else if (!strcmp(argv[i], "--stuck") && value <= STUCK_SECONDS)
			stuck_seconds = value;
		else
			explain();
	}
	if (!*seconds)
		explain();
}

static void raise_limits(void)
{
	struct rlimit files = { .rlim_cur = 200000, .rlim_max = 200000 };

	if (setrlimit(RLIMIT_NOFILE, &files))
		tell("chaos: the limit of descriptors stays as it is: %s\n",
		     strerror(errno));
}

int main(int argc, char **argv)
{
	unsigned long long seconds = 0, seed, told = 0;
	unsigned int living;

	begin = clock_ns(CLOCK_MONOTONIC);
	seed = begin ^ getpid();
	read_options(argc, argv, &seconds, &seed);
	tell("chaos: seed %llu\n", seed);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || access("/dev/ntsync", R_OK)) {
		tell("chaos: cannot use /dev/ntsync (is the module loaded?)\n");
		return 2;
	}
	usual_priority = getpriority(PRIO_PROCESS, 0);
	raise_limits();
	make_cgroups();
	for (living = 0; living < n_cells; living++) {
		pid_t pid = fork();

		if (!pid)
			_exit(cell_main(living, seed));
		if (pid < 0) {
			tell("chaos: cannot fork: %s\n", strerror(errno));
			return 2;
		}
	}
	while (living) {
		pause_ns(200000000);
		living -= waitpid(-1, NULL, WNOHANG) > 0;
		if (seconds_passed() >= seconds)
			shared->stop = 1;
		if (seconds_passed() >= 2 * seconds)
			shared->late = 1;
		if (seconds_passed() >= told + PROGRESS_SECONDS) {
			told = seconds_passed();
			progress();
		}
	}
	remove_cgroups();
	report(seed);
	return shared->wrong != 0;
}
