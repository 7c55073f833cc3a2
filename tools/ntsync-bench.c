// SPDX-License-Identifier: GPL-2.0
/* Measures how many nanoseconds the operations of /dev/ntsync take on this machine. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <string.h>
#include <sys/resource.h>
#include "ntsync-bench.h"

#define DEVICE	"/dev/ntsync"
#define FILES	4096

const char * const section_names[SECTIONS] = {
	[CALLS] = "calls",
	[PROCESSORS] = "processors",
	[WAKES] = "wakes",
};

struct options options = {
	.sections = (1U << SECTIONS) - 1,
	.seconds = 0.5,
	.cpus = { -1, -1 },
};

static void check_device(void)
{
	int fd = open(DEVICE, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && (errno == ENOENT || errno == ENXIO || errno == ENODEV))
		errx(EXIT_TROUBLE, "there is no %s: as root, modprobe ntsync", DEVICE);
	if (fd < 0 && (errno == EACCES || errno == EPERM))
		errx(EXIT_TROUBLE, "no permission to open %s: as root, chmod 666 %s",
		     DEVICE, DEVICE);
	if (fd < 0)
		err(EXIT_TROUBLE, "cannot open %s", DEVICE);
	close(fd);
}

static void measure(void)
{
	static void (*const measure_section[])(void) = {
		[CALLS] = measure_calls,
		[PROCESSORS] = measure_processors,
		[WAKES] = measure_wakes,
	};

	check_device();
	choose_cpus();
	report_begin();
	for (int i = 0; i < SECTIONS; i++)
		if (options.sections & (1U << i))
			measure_section[i]();
	report_end();
}

/* Options */

static void print_help(void)
{
	puts("usage: ntsync-bench [options]\n"
	     "       ntsync-bench --compare [--json] BEFORE AFTER [BEFORE AFTER]...\n"
	     "\n"
	     "Measures how long the operations of /dev/ntsync take on this machine.\n"
	     "\n"
	     "  -s, --section NAME,...  only calls, processors, wakes\n"
	     "  -c, --cpus N,M          on these two processors\n"
	     "  -t, --time SECONDS      measure each row for this time; default 0.5\n"
	     "  -J, --json              print JSON\n"
	     "  -C, --compare           compare what --json has printed into files\n"
	     "  -h, --help              print this\n"
	     "  -V, --version           print the version\n"
	     "\n"
	     "Exit status: 0; 2 for an error.  See ntsync-bench(1).");
}

static void add_section(const char *name, void *sections)
{
	for (int i = 0; i < SECTIONS; i++) {
		if (!strcmp(name, section_names[i])) {
			*(unsigned int *)sections |= 1U << i;
			return;
		}
	}
	errx(EXIT_TROUBLE, "unknown section '%s': the sections are calls, processors, wakes",
	     name);
}

static void parse_cpus(const char *text)
{
	char end;

	if (sscanf(text, "%d,%d%c", &options.cpus[0], &options.cpus[1], &end) != 2 ||
	    options.cpus[0] < 0 || options.cpus[1] < 0)
		errx(EXIT_TROUBLE,
		     "'%s' are not two processors: give their numbers, as in 0,1", text);
}

static double parse_seconds(const char *text)
{
	double seconds;
	char *end;

	seconds = strtod(text, &end);
	if (end == text || *end || !(seconds >= 0.001 && seconds <= 3600))
		errx(EXIT_TROUBLE,
		     "'%s' is not a time: give seconds from 0.001 to 3600",
		     text);
	return seconds;
}

static void end_with(void (*print)(void))
{
	print();
	if (fflush(stdout) || ferror(stdout))
		err(EXIT_TROUBLE, "cannot print");
	exit(EXIT_SUCCESS);
}

static void print_version(void)
{
	puts("ntsync-bench " VERSION);
}

static void take_option(int option)
{
	static bool chosen;

	switch (option) {
	case 's':
		if (!chosen)
			options.sections = 0;
		chosen = true;
		split_words(optarg, add_section, &options.sections);
		break;
	case 'c':
		parse_cpus(optarg);
		break;
	case 't':
		options.seconds = parse_seconds(optarg);
		break;
	case 'J':
		options.json = true;
		break;
	case 'C':
		options.compare = true;
		break;
	case 'h':
		end_with(print_help);
		break;
	case 'V':
		end_with(print_version);
		break;
	default:
		fprintf(stderr, "ntsync-bench: --help lists the options\n");
		exit(EXIT_TROUBLE);
	}
}

static void take_options(int argc, char **argv)
{
	static const struct option names[] = {
		{ "section", required_argument, NULL, 's' },
		{ "cpus",    required_argument, NULL, 'c' },
		{ "time",    required_argument, NULL, 't' },
		{ "json",    no_argument,	NULL, 'J' },
		{ "compare", no_argument,	NULL, 'C' },
		{ "help",    no_argument,	NULL, 'h' },
		{ "version", no_argument,	NULL, 'V' },
		{ }
	};
	int option;

	while ((option = getopt_long(argc, argv, "s:c:t:JChV", names, NULL)) != -1)
		take_option(option);
	if (options.compare && (optind == argc || (argc - optind) % 2))
		errx(EXIT_TROUBLE, "--compare needs files in pairs: BEFORE AFTER");
	if (!options.compare && optind < argc)
		errx(EXIT_TROUBLE, "unexpected '%s': --help lists the options",
		     argv[optind]);
}

int main(int argc, char **argv)
{
	struct rlimit files = { FILES, FILES };

	setlocale(LC_CTYPE, "");
	take_options(argc, argv);
	if (options.compare) {
		compare_files(argv + optind, argc - optind);
		return EXIT_SUCCESS;
	}
	setrlimit(RLIMIT_NOFILE, &files);
	measure();
	return EXIT_SUCCESS;
}
