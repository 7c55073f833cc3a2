/* SPDX-License-Identifier: GPL-2.0 */
/* Measuring how many nanoseconds the operations of /dev/ntsync take. */
#ifndef NTSYNC_BENCH_H
#define NTSYNC_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "../bench/rows.h"
#include "util.h"

/**
 * struct figure - the result of a row, in nanoseconds
 * @section: calls, processors or wakes
 * @name: of the operation
 * @ns: the time of one operation
 * @floor: how much of it is entering the kernel and returning; 0 if not measured
 * @above: the rest
 * @spread: half of the range of the four quarters of the time
 * @disturbed: something else used the processors, in each try
 */
struct figure {
	const char *section;
	const char *name;
	double ns;
	double floor;
	double above;
	double spread;
	bool disturbed;
};

enum section { CALLS, PROCESSORS, WAKES, SECTIONS };

extern const char * const section_names[SECTIONS];

/**
 * struct options - what the user asked for
 * @sections: a bit for each
 * @seconds: time for each row
 * @cpus: the two processors
 */
struct options {
	unsigned int sections;
	double seconds;
	int cpus[2];
	bool json;
	bool compare;
};

extern struct options options;

/* What was measured, one by one. */
struct series {
	double *values;
	size_t nr;
};

void series_add(struct series *series, double value);
double series_quantile(struct series *series, double part);

/* Fills in a figure with a quantile of the series, which is not reordered. */
void sum_up(struct figure *figure, const struct series *series, double part);

uint64_t now_ns(void);

/* Should a row be measured again, after @nr times? */
bool goes_on(uint64_t begin, size_t nr);

void move_to_cpu(int cpu);
void choose_cpus(void);

typedef void (*measure_t)(struct figure *figures, const void *row);

/**
 * measure_quietly() - measure a row again until nothing disturbs it
 * @figures: with their names; gets the rest
 * @nr: how many figures the row has
 * @cpus: how many processors it needs
 * @measure: measures the row, in a separate process
 * @row: for @measure
 */
void measure_quietly(struct figure *figures, size_t nr, int cpus,
		     measure_t measure, const void *row);

/* Called by @measure: its results are disturbed. */
void tell_disturbed(void);

void measure_calls(void);
void measure_processors(void);
void measure_wakes(void);

void report_begin(void);
void report_figure(const struct figure *figure);
void report_end(void);
void compare_files(char **paths, size_t nr);

#endif /* NTSYNC_BENCH_H */
