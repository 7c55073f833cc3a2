// SPDX-License-Identifier: GPL-2.0
/* Compares runs in pairs, such as before and after a change, or of two drivers. */
#define _GNU_SOURCE
#include <jansson.h>
#include <math.h>
#include <string.h>
#include "bench-report.h"
#include "ntsync-bench.h"

#define ENOUGH	3	/* this many pairs show how much they differ */

/* The figures of all pairs for a row. */
struct comparison {
	struct series before;
	struct series after;
	struct series ratio;
	struct series spread;	/* relative to before */
	bool disturbed;
};

static json_t *read_run(const char *path)
{
	json_error_t error;
	json_t *run = json_load_file(path, 0, &error);

	if (!run && error.line < 0)
		errx(EXIT_TROUBLE, "%s", error.text);
	if (!run)
		errx(EXIT_TROUBLE, "%s, line %d: not JSON: %s", path, error.line,
		     error.text);
	if (!json_is_string(json_object_get(run, "ntsync_bench")) ||
	    !json_is_array(json_object_get(run, "rows")))
		errx(EXIT_TROUBLE, "%s: not what ntsync-bench --json prints", path);
	return json_object_get(run, "rows");
}

static const char *text_of(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text ? text : "";
}

static double number_of(const json_t *row, const char *key)
{
	return json_number_value(json_object_get(row, key));
}

static const json_t *find_row(const json_t *rows, const json_t *like)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		if (!strcmp(text_of(row, "section"), text_of(like, "section")) &&
		    !strcmp(text_of(row, "operation"), text_of(like, "operation")))
			return row;
	return NULL;
}

static void add_pair(struct comparison *comparison, const json_t *before,
		     const json_t *after)
{
	double was = number_of(before, "above"), is = number_of(after, "above");

	/* Below what can be measured. */
	if (was <= 0)
		return;
	series_add(&comparison->before, was);
	series_add(&comparison->after, is);
	series_add(&comparison->ratio, is / was);
	series_add(&comparison->spread, (number_of(before, "spread") +
					 number_of(after, "spread")) / was);
	comparison->disturbed |= json_is_true(json_object_get(before, "disturbed")) ||
				 json_is_true(json_object_get(after, "disturbed"));
}

/* How far the ratio may be off. */
static double noise_of(struct comparison *comparison)
{
	if (comparison->ratio.nr < ENOUGH)
		return series_quantile(&comparison->spread, 1);
	return (series_quantile(&comparison->ratio, 1) -
		series_quantile(&comparison->ratio, 0)) / 2;
}

static const char *verdict_of(struct comparison *comparison)
{
	double ratio = series_quantile(&comparison->ratio, 0.5);

	return fabs(ratio - 1) <= noise_of(comparison) ? "same" :
	       ratio < 1 ? "faster" : "slower";
}

static void add_row(struct libscols_table *table, json_t *all, const json_t *row,
		    struct comparison *comparison)
{
	double before = series_quantile(&comparison->before, 0.5);
	double after = series_quantile(&comparison->after, 0.5);
	double ratio = series_quantile(&comparison->ratio, 0.5);
	const char *verdict = verdict_of(comparison);
	char * const cells[] = {
		format("%s", text_of(row, "section")),
		format("%s", text_of(row, "operation")),
		format("%.0f", before), format("%.0f", after),
		format("%.3f", ratio), format("%.3f", noise_of(comparison)),
		format("%s%s", verdict, comparison->disturbed ? ", disturbed" : ""),
	};

	add_line(table, cells, ARRAY_SIZE(cells));
	json_array_append_new(all, json_pack("{s:s, s:s, s:f, s:f, s:f, s:f, s:s, s:b}",
					     "section", text_of(row, "section"),
					     "operation", text_of(row, "operation"),
					     "before", before, "after", after,
					     "ratio", ratio,
					     "noise", noise_of(comparison),
					     "verdict", verdict,
					     "disturbed", comparison->disturbed));
}

/* Collects one row from all pairs of files. */
static struct comparison collect(json_t **runs, size_t nr, const json_t *row)
{
	struct comparison comparison = { };
	const json_t *before, *after;
	size_t i;

	for (i = 0; i < nr; i += 2) {
		before = find_row(runs[i], row);
		after = find_row(runs[i + 1], row);
		if (before && after)
			add_pair(&comparison, before, after);
	}
	return comparison;
}

void compare_files(char **paths, size_t nr)
{
	static const char * const columns[] = {
		"SECTION", "OPERATION", "BEFORE", "AFTER", "RATIO", "NOISE", "VERDICT",
	};
	struct libscols_table *table = new_table(columns, ARRAY_SIZE(columns), 2);
	json_t **runs = allocate(nr * sizeof(*runs)), *all = json_array();
	const json_t *row;
	size_t i;

	for (i = 0; i < nr; i++)
		runs[i] = read_run(paths[i]);
	json_array_foreach(runs[0], i, row) {
		struct comparison comparison = collect(runs, nr, row);

		if (comparison.ratio.nr)
			add_row(table, all, row, &comparison);
	}
	if (!json_array_size(all))
		errx(EXIT_TROUBLE, "the files have no row in common");
	if (options.json)
		print_json(json_pack("{s:s, s:i, s:o}", "ntsync_bench", VERSION,
				     "pairs", (int)(nr / 2), "rows", all));
	else
		print_lines(table);
}
