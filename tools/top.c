// SPDX-License-Identifier: GPL-2.0
/* lsntsync --top: what threads and objects do, and how often. */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>
#include "top.h"
#include "util.h"

#define LOOK_MSEC	50	/* between two looks at the trace buffers, before they are full */

static volatile sig_atomic_t resized;
static struct termios before;
static bool on_screen;
static double used;	/* of a processor, before the interval */

/* The terminal */

static void leave_screen(void)
{
	if (!on_screen)
		return;
	on_screen = false;
	fputs("\033[?7h\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

static void resize(int signal)
{
	(void)signal;
	resized = true;
}

/* The alternate screen, without a cursor, where lines end at the edge. */
static void enter_screen(void)
{
	const struct sigaction action = { .sa_handler = resize };
	struct termios keys;

	sigaction(SIGWINCH, &action, NULL);
	tcgetattr(STDIN_FILENO, &before);
	keys = before;
	keys.c_lflag &= ~(ICANON | ECHO);
	tcsetattr(STDIN_FILENO, TCSANOW, &keys);
	fputs("\033[?1049h\033[?25l\033[?7l", stdout);
	on_screen = true;
	atexit(leave_screen);
}

static size_t screen_lines(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_row < 6 ?
	       6 : size.ws_row;
}

/* One interval after the other */

static double used_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void print_summary(const struct rates *rates, const struct view *view,
			  unsigned long long lost)
{
	double use = used_seconds();

	if (view->lines)
		printf("sorted by %s (s: next column, q: quit); ",
		       view->sort ? view->sort : "CALLS");
	printf("%zu thread%s, %zu object%s in %.2f s; ", rates->nr_threads,
	       plural(rates->nr_threads), rates->nr_objects, plural(rates->nr_objects),
	       rates->seconds);
	if (lost)
		printf("%llu event%s LOST: the figures are too low; ", lost, plural(lost));
	else
		printf("no event lost; ");
	printf("%.1f %% of a CPU for lsntsync%s\n", 100 * (use - used) / rates->seconds,
	       view->lines ? "\033[K" : "");
	used = use;
}

static void show(const struct rates *rates, struct view *view)
{
	static unsigned long long lost_before;
	unsigned long long lost = trace_lost() - lost_before;

	lost_before = trace_lost();
	if (view->form->json) {
		print_activity_json(rates, view, lost);
		return;
	}
	if (on_screen) {
		/* The summary has a line, and none must be behind the last. */
		view->lines = screen_lines() - 2;
		fputs("\033[H", stdout);
	}
	print_summary(rates, view, lost);
	print_activity(rates, view);
	fputs(on_screen ? "\033[J" : "\n", stdout);
}

/*
 * Threads that sleep already have no events until their waits end.  If one ends while
 * they are read, there is an event of that.
 */
static void add_waits(struct rates *rates)
{
	const uint64_t now = trace_now();
	struct snapshot *snapshot = snapshot_read("/proc");
	const struct wait *wait;
	size_t i;

	for (i = 0; i < snapshot->nr_waits; i++) {
		wait = snapshot->waits[i];
		if (wait->tid && pid_wanted(wait->pid))
			rates_wait(rates, wait->tid, now - wait->waited * 1e9);
	}
	snapshot_free(snapshot);
}

/* The list of waits is read only if it is needed. */
static void judge(struct rates *rates)
{
	struct snapshot *snapshot;

	rates_judge(rates);
	if (!rates_may_starve(rates))
		return;
	snapshot = snapshot_read("/proc");
	rates_judge_waits(rates, snapshot, trace_now());
	snapshot_free(snapshot);
}

/* Returns false for an end. */
static bool take_key(struct view *view)
{
	char key;

	if (read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q')
		return false;
	if (key == 's')
		view->sort = next_sort(view->sort);
	return true;
}

/*
 * Collects until the interval is over, a key is pressed or the screen has another size.
 * Returns false for an end.
 */
static bool collect(struct rates *rates, struct view *view, double delay)
{
	struct pollfd input = { .fd = on_screen ? STDIN_FILENO : -1, .events = POLLIN };
	const uint64_t end = rates->begin + delay * 1e9;
	uint64_t now, left;
	bool pressed;

	resized = false;
	do {
		now = trace_now();
		left = now < end ? (end - now) / 1000000 + 1 : 0;
		pressed = poll(&input, 1, left < LOOK_MSEC ? left : LOOK_MSEC) > 0;
		rates->end = trace_read(rates_count, rates);
		if (pressed)
			return take_key(view);
		if (trace_interrupted())
			return false;
	} while (rates->end < end && !resized);
	return true;
}

/**
 * top() - show what threads and objects do, until the user has seen enough
 * @options: those of the command line
 *
 * Return: the exit status.
 */
int top(const struct options *options)
{
	const bool screen = isatty(STDOUT_FILENO) && isatty(STDIN_FILENO) &&
			    !options->count && !options->form.json;
	struct view view = {
		.form = &options->form,
		.sort = options->sort,
		.colours = isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
	};
	struct rates *rates;
	unsigned int i;

	check_view(&view);
	trace_begin(RATES_EVENTS, options->pids.values, options->pids.nr);
	if (screen)
		enter_screen();
	used = used_seconds();
	rates = rates_begin();
	add_waits(rates);
	for (i = 0; !options->count || i < options->count; i++) {
		if (!collect(rates, &view, options->delay))
			break;
		judge(rates);
		show(rates, &view);
		flush_output();
		rates_next(rates);
	}
	return EXIT_SUCCESS;
}
