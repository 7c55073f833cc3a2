// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that use the same objects at the same time, for a few calls each.  A common
 * counter gives every call a stamp before and after it, and history.c checks whether the
 * model explains all answers.
 *
 * Some processes sleep in a wait before the others begin.  At the end, when no process
 * is left that could wake another, the waits that still sleep must be those that could
 * not be satisfied.  Then all objects are read.
 *
 * The processes share their descriptors, as threads do, but not all of their
 * memory: user-mode Linux runs threads of one process one at a time.
 *
 * SEED=n STEPS=n in the environment choose the first set of calls and how many
 * calls are made (n/5).  The same seed repeats the calls, but not their timing.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "kselftest.h"
#include "draw.h"
#include "driver.h"
#include "history.h"
#include "probe.h"
#include "settings.h"
#include "task.h"
#include "tell.h"

#define RACERS		4
#define SLEEPERS	6
#define PLAYERS		(RACERS + SLEEPERS)

/* This process, which reads all objects when the others have finished. */
#define OBSERVER	PLAYERS

#define ACTIONS		4

/* How often the same calls are made, with other pauses. */
#define ROUNDS		10

/* A call takes as long as this many steps of random. */
#define STEPS_A_CALL	5

#define FINISHED	(-1)

/*
 * What a player does next: a call, or a signal to another player.
 * @signal: 0, or to be sent to player @victim
 * @patience: the timeout of a wait, in nanoseconds; 0 for a poll
 * @args, @objs: the ioctl's argument
 */
struct action {
	int signal;
	int victim;
	__u64 patience;
	struct history_call call;
	struct ntsync_wait_args args;
	int objs[HISTORY_OBJECTS];
};

/*
 * @at: its current action, or FINISHED
 * @signaled: when the first signal was sent to it, or 0
 * @pauses: source of random numbers
 */
struct player {
	int actions;
	struct action action[ACTIONS];
	atomic_int at;
	atomic_uint signaled;
	uint64_t pauses;
	sem_t begin;
	pid_t pid;
	struct probe probe;
	bool ready;
};

/*
 * The racers come first, then the sleepers, then the observer.
 * @crowded: most sleepers wait for all of object 0 and perhaps another one, and the
 *	racers mostly signal: a signal of object 0 takes long, and others come meanwhile
 */
struct plan {
	bool crowded;
	int objects;
	struct model_obj obj[HISTORY_OBJECTS];
	int racers;
	int sleepers;
};

/*
 * What all players see.
 * @stamps: the counter
 * @arrived: at the meeting point of the racers
 * @stop: players that were asleep make no more calls
 */
struct table {
	struct player player[PLAYERS + 1];
	struct plan plan;
	int fd[HISTORY_OBJECTS];
	atomic_uint stamps;
	atomic_int arrived;
	atomic_bool stop;
};

static struct table *table;
static struct player *players;
static struct plan *plan;
static int dev;

static void handle_signal(int sig)
{
	(void)sig;
}

static bool is_sleeper(int i)
{
	return i >= RACERS && i < OBSERVER;
}

static bool takes_part(int i)
{
	if (is_sleeper(i))
		return i - RACERS < plan->sleepers;
	return i < plan->racers || i == OBSERVER;
}

/* Plans */

static void plan_object(struct model_obj *obj, uint64_t *state)
{
	enum model_type type = draw_below(state, 3);

	while (model_obj_init(obj, type, draw_below(state, 3),
			      type == MODEL_EVENT ? draw_below(state, 2) :
						    draw_below(state, 4)))
		;
	/* From there only the next unlock is a signal. */
	if (obj->owner && one_in(state, 8))
		obj->count = UINT32_MAX;
}

static void plan_op(struct history_call *call, uint64_t *state)
{
	static const enum model_op signals[][2] = {
		[MODEL_SEM] = { MODEL_SEM_RELEASE, MODEL_SEM_RELEASE },
		[MODEL_MUTEX] = { MODEL_MUTEX_UNLOCK, MODEL_MUTEX_KILL },
		[MODEL_EVENT] = { MODEL_EVENT_SET, MODEL_EVENT_PULSE },
	};
	enum model_type type;

	call->obj = draw_below(state, plan->objects);
	type = plan->obj[call->obj].type;
	call->op = draw_op(state, type);
	if (plan->crowded && !one_in(state, 4))
		call->op = signals[type][draw_below(state, 2)];
	call->arg = 1 + draw_below(state, 2);
}

static void plan_wait(struct history_call *call, uint64_t *state)
{
	struct model_args *args = &call->args;
	uint8_t order[HISTORY_OBJECTS];

	draw_order(state, order, plan->objects);
	call->wait = true;
	*args = (struct model_args) {
		.all = one_in(state, 2),
		.owner = 1 + draw_below(state, 2),
		.count = 1 + draw_below(state, plan->objects),
		.alert = MODEL_NO_ALERT,
	};
	for (uint32_t i = 0; i < args->count; i++)
		args->objs[i] = order[i];
	if ((int)args->count < plan->objects && one_in(state, 2))
		args->alert = order[args->count];
}

static __u64 plan_patience(uint64_t *state)
{
	uint32_t what = draw_below(state, 10);

	if (what < 5)
		return 0;
	return what < 7 ? draw_below(state, 300000) : FOREVER;
}

static void plan_action(struct action *action, uint64_t *state)
{
	uint32_t what = draw_below(state, 20);

	*action = (struct action) { };
	if (what < 1) {
		action->victim = draw_below(state, PLAYERS);
		/* A restarted wait is no longer known to sleep. */
		action->signal = is_sleeper(action->victim) ||
				 one_in(state, 2) ? SIGUSR1 : SIGUSR2;
	} else if (what < 10) {
		plan_wait(&action->call, state);
		action->patience = plan_patience(state);
		action->call.sleeps = action->patience;
	} else {
		plan_op(&action->call, state);
	}
}

/* A wait for object 0 and perhaps object 2, with object 1 as its alert. */
static void join_crowd(struct model_args *args, uint64_t *state)
{
	uint32_t place;

	args->all = !one_in(state, 8);
	args->count = 1 + draw_below(state, 2);
	place = draw_below(state, args->count);
	args->objs[!place] = 2;
	args->objs[place] = 0;
	args->alert = one_in(state, 4) ? MODEL_NO_ALERT : 1;
}

/* Sleepers wait for objects that are not signaled at the start. */
static void plan_sleeper(struct player *sleeper, int place, uint64_t *state)
{
	struct history_call *call = &sleeper->action[0].call;

	sleeper->actions = 1;
	sleeper->action[0] = (struct action) { .patience = FOREVER };
	plan_wait(call, state);
	if (plan->crowded)
		join_crowd(&call->args, state);
	call->sleeps = true;
	call->place = place;
}

static bool sleeper_sleeps(const struct player *sleeper)
{
	return model_satisfying(plan->obj, &sleeper->action[0].call.args) < 0;
}

static void plan_observer(void)
{
	struct player *observer = &players[OBSERVER];

	observer->actions = plan->objects;
	for (int i = 0; i < plan->objects; i++)
		observer->action[i] = (struct action) {
			.call.obj = i,
			.call.op = driver_read_op(plan->obj[i].type),
		};
}

static void make_plan(uint64_t seed)
{
	uint64_t state = seed;

	*plan = (struct plan) { };
	plan->crowded = one_in(&state, 2);
	plan->objects = plan->crowded ? 3 : 1 + draw_below(&state, 3);
	for (int i = 0; i < plan->objects; i++)
		plan_object(&plan->obj[i], &state);
	if (plan->crowded)
		for (int i = 0; i < 2; i++)
			model_obj_init(&plan->obj[i], MODEL_EVENT,
				       draw_below(&state, 2), 0);
	plan->racers = 2 + draw_below(&state, RACERS - 1);
	for (int i = 0; i < plan->racers; i++) {
		players[i].actions = 1 + draw_below(&state, ACTIONS);
		for (int j = 0; j < players[i].actions; j++)
			plan_action(&players[i].action[j], &state);
	}
	for (int tries = draw_below(&state, plan->crowded ? 12 : 6); tries > 0;
	     tries--) {
		struct player *sleeper = &players[RACERS + plan->sleepers];

		if (plan->sleepers == SLEEPERS)
			break;
		plan_sleeper(sleeper, plan->sleepers + 1, &state);
		plan->sleepers += sleeper_sleeps(sleeper);
	}
	plan_observer();
	for (int i = 0; i < PLAYERS; i++)
		players[i].pauses = draw(&state);
}

/* Players */

static void call_wait(struct action *action)
{
	struct history_call *call = &action->call;
	__u64 timeout = action->patience;
	int ret;

	if (timeout && timeout != FOREVER)
		timeout += clock_ns(CLOCK_MONOTONIC);
	action->args = driver_wait_args(&call->args, table->fd, action->objs, timeout);
	call->began = ++table->stamps;
	ret = ntsync_call(dev, driver_wait_request(&call->args), &action->args);
	call->answer = driver_wait_answer(ret, action->args.index);
	call->ended = ++table->stamps;
}

static void act(struct action *action)
{
	struct history_call *call = &action->call;

	if (action->signal) {
		unsigned int none = 0;

		atomic_compare_exchange_strong(&players[action->victim].signaled,
					       &none, ++table->stamps);
		kill(players[action->victim].pid, action->signal);
	} else if (call->wait) {
		call_wait(action);
	} else {
		call->began = ++table->stamps;
		call->answer = driver_op(table->fd[call->obj], call->op, call->arg);
		call->ended = ++table->stamps;
	}
}

/* Up to about as long as a call takes, and now and then longer. */
static void pause_a_little(uint64_t *state)
{
	uint32_t how = draw_below(state, 8);

	if (how == 0)
		sched_yield();
	else if (how < 5)
		spin(draw_below(state, 1 << draw_below(state, 12)));
}

static void play(struct player *self)
{
	self->ready = probe_open(&self->probe);
	for (;;) {
		self->at = FINISHED;
		while (sem_wait(&self->begin))
			;
		if (!is_sleeper(self - players))
			meet(&table->arrived, 0, plan->racers);
		for (int i = 0; i < self->actions && !table->stop; i++) {
			self->at = i;
			pause_a_little(&self->pauses);
			act(&self->action[i]);
		}
	}
}

static bool start_players(void)
{
	for (int i = 0; i < PLAYERS; i++) {
		struct player *player = &players[i];
		pid_t pid;

		sem_init(&player->begin, 1, 0);
		player->at = 0;
		pid = clone_child();
		if (!pid)
			play(player);
		player->pid = pid;
		if (pid < 0 || !wait_until(player->at == FINISHED) ||
		    !player->ready)
			return false;
	}
	return true;
}

/* Each racer on a different CPU, or all on any CPU, or all on one. */
static void place_racers(uint64_t seed)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);

	for (int i = 0; i < RACERS; i++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		for (int cpu = 0; cpu < cpus; cpu++)
			if (seed % 8 >= 4 ||
			    cpu == (seed % 8 ? (int)(i + seed) % cpus : 0))
				CPU_SET(cpu, &set);
		sched_setaffinity(players[i].pid, sizeof(set), &set);
	}
}

/* One round */

static bool make_objects(void)
{
	for (int i = 0; i < plan->objects; i++) {
		struct model_answer start =
			model_step(&plan->obj[i],
				   driver_read_op(plan->obj[i].type), 0);

		int fd = driver_create(dev, plan->obj[i].type, start.value[0],
				       start.value[1]);

		if (fd < 0)
			return false;
		table->fd[i] = fd;
	}
	return true;
}

/* Does a player sleep in a wait that does not end by itself? */
static bool sleeps(const struct player *player, int at)
{
	const struct action *action = &player->action[at];

	return action->call.sleeps && action->patience == FOREVER &&
	       probe_sleeps(&player->probe,
			    driver_wait_request(&action->call.args),
			    &action->args);
}

/* Returns each player's action, if all are asleep or have finished; else false. */
static bool look_around(int *at)
{
	for (int i = 0; i < PLAYERS; i++) {
		at[i] = players[i].at;
		if (takes_part(i) && at[i] != FINISHED &&
		    !sleeps(&players[i], at[i]))
			return false;
	}
	return true;
}

/*
 * Is no thread left that could wake those that sleep?  A thread that was asleep in the same
 * call at both looks was also asleep in between, when all others had finished.
 */
static bool is_quiet(int *at)
{
	int again[PLAYERS];

	return look_around(at) && look_around(again) &&
	       !memcmp(at, again, sizeof(again));
}

static bool all_finished(void)
{
	for (int i = 0; i < PLAYERS; i++)
		if (takes_part(i) && players[i].at != FINISHED)
			return false;
	return true;
}

/* Ends the remaining waits; that they slept until then becomes part of the history. */
static bool end_sleepers(const int *at)
{
	unsigned int when = ++table->stamps;

	table->stop = true;
	for (int i = 0; i < PLAYERS; i++)
		if (takes_part(i) && at[i] != FINISHED)
			kill(players[i].pid, SIGUSR1);
	if (!wait_until(all_finished()))
		return false;
	for (int i = 0; i < PLAYERS; i++) {
		struct history_call *call;

		if (!takes_part(i) || at[i] == FINISHED)
			continue;
		call = &players[i].action[at[i]].call;
		if (call->answer.ret == -EINTR) {
			call->answer.ret = -ETIMEDOUT;
			call->began = when;
		}
	}
	return true;
}

/* A sleeper cannot be interrupted before the first signal. */
static void date_interrupts(void)
{
	for (int i = 0; i < plan->sleepers; i++) {
		struct player *sleeper = &players[RACERS + i];

		if (sleeper->action[0].call.answer.ret == -EINTR)
			sleeper->action[0].call.began = sleeper->signaled;
	}
}

/* Have all players ended? */
static bool run_round(void)
{
	int at[PLAYERS];

	table->stamps = 0;
	table->arrived = 0;
	table->stop = false;
	for (int i = 0; i <= OBSERVER; i++) {
		players[i].signaled = 0;
		for (int j = 0; j < players[i].actions; j++)
			players[i].action[j].call.ended = 0;
	}
	for (int i = 0; i < plan->sleepers; i++) {
		struct player *sleeper = &players[RACERS + i];

		sleeper->at = 0;
		sem_post(&sleeper->begin);
		if (!wait_until(sleeps(sleeper, 0)))
			return false;
	}
	for (int i = 0; i < plan->racers; i++) {
		players[i].at = 0;
		sem_post(&players[i].begin);
	}
	if (!wait_until(all_finished() || is_quiet(at)))
		return false;
	if (!all_finished() && !end_sleepers(at))
		return false;
	date_interrupts();
	for (int i = 0; i < plan->objects; i++)
		act(&players[OBSERVER].action[i]);
	return true;
}

static void collect(struct history *history)
{
	*history = (struct history) { .objects = plan->objects };
	memcpy(history->obj, plan->obj, sizeof(plan->obj));
	for (int i = 0; i <= OBSERVER; i++) {
		if (!takes_part(i))
			continue;
		for (int j = 0; j < players[i].actions; j++)
			if (players[i].action[j].call.ended)
				history->call[history->calls++] =
					players[i].action[j].call;
	}
}

/* Telling */

static void tell_call(int who, const struct history_call *call)
{
	char what[TELL_TEXT] = "", answer[TELL_TEXT] = "";

	if (call->wait)
		tell_wait(what, &call->args);
	else
		tell_op(what, call->obj, call->op, call->arg);
	tell_answer(answer, call->answer);
	ksft_print_msg("%5u %5u  player %d%s: %s%s: %s\n", call->began,
		       call->ended, who,
		       call->place ? ", asleep before" :
		       who == OBSERVER ? ", afterwards" : "", what,
		       call->wait && !call->sleeps ? ", poll" : "", answer);
}

static void tell_history(uint64_t seed)
{
	ksft_print_msg("SEED=%llu: the model does not explain this history.\n",
		       (unsigned long long)seed);
	ksft_print_msg("(A wait that slept to the end has ETIMEDOUT.)\n");
	for (int i = 0; i < plan->objects; i++) {
		char text[TELL_TEXT] = "";

		tell_object(text, &plan->obj[i]);
		ksft_print_msg("\tobject %d: %s\n", i, text);
	}
	ksft_print_msg("began ended\n");
	for (unsigned int now = 0; now <= table->stamps; now++) {
		for (int i = 0; i <= OBSERVER; i++) {
			for (int j = 0; j < players[i].actions; j++) {
				struct history_call *call =
					&players[i].action[j].call;

				if (takes_part(i) && call->ended &&
				    call->began == now)
					tell_call(i, call);
			}
		}
	}
}

/* Tests */

static bool run_plan(uint64_t seed, uint64_t *calls)
{
	static struct history history;

	make_plan(seed);
	place_racers(seed);
	for (int round = 0; round < ROUNDS; round++) {
		if (!make_objects()) {
			ksft_print_msg("objects cannot be created\n");
			return false;
		}
		if (!run_round()) {
			ksft_print_msg("SEED=%llu: a player does not end\n",
				       (unsigned long long)seed);
			return false;
		}
		collect(&history);
		if (!history_explained(&history)) {
			tell_history(seed);
			return false;
		}
		*calls += history.calls;
		for (int i = 0; i < plan->objects; i++)
			close(table->fd[i]);
	}
	return true;
}

int main(void)
{
	const struct sigaction interrupt = { .sa_handler = handle_signal };
	const struct sigaction restart = {
		.sa_handler = handle_signal, .sa_flags = SA_RESTART,
	};
	uint64_t seed = setting("SEED", clock_ns(CLOCK_REALTIME) % 1000000000);
	uint64_t steps = setting("STEPS", DEFAULT_STEPS) / STEPS_A_CALL ?: 1;
	uint64_t calls = 0, histories = 0;
	bool good = true;

	ksft_print_header();
	ksft_set_plan(1);
	ksft_print_msg("SEED=%llu\n", (unsigned long long)seed);
	sigaction(SIGUSR1, &interrupt, NULL);
	sigaction(SIGUSR2, &restart, NULL);
	dev = ntsync_open();
	table = mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (dev < 0 || table == MAP_FAILED)
		ksft_exit_fail_msg("no device or no memory\n");
	players = table->player;
	plan = &table->plan;
	if (!start_players())
		ksft_exit_fail_msg("no processes\n");
	while (good && calls < steps) {
		good = run_plan(seed++, &calls);
		histories += ROUNDS;
		show_progress("histories", calls, steps);
	}
	ksft_test_result(good, "%llu calls in %llu histories\n",
			 (unsigned long long)calls,
			 (unsigned long long)histories);
	ksft_finished();
}
