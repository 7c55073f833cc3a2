// SPDX-License-Identifier: GPL-2.0
/* Prints the results and the machine, as a table or JSON. */
#define _GNU_SOURCE
#include <jansson.h>
#include <libsmartcols/libsmartcols.h>
#include <string.h>
#include <sys/utsname.h>
#include "bench-report.h"
#include "ntsync-bench.h"

/* Tables */

struct libscols_table *new_table(const char * const *columns, size_t nr, size_t names)
{
	struct libscols_table *table = scols_new_table();
	size_t i;

	if (!table)
		err(EXIT_TROUBLE, NULL);
	for (i = 0; i < nr; i++)
		if (!scols_table_new_column(table, columns[i], 0,
					    i >= names && i < nr - 1 ? SCOLS_FL_RIGHT : 0))
			err(EXIT_TROUBLE, NULL);
	return table;
}

void add_line(struct libscols_table *table, char * const *cells, size_t nr)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	size_t i;

	if (!line)
		err(EXIT_TROUBLE, NULL);
	for (i = 0; i < nr; i++)
		if (scols_line_refer_data(line, i, cells[i]))
			err(EXIT_TROUBLE, NULL);
}

void print_lines(struct libscols_table *table)
{
	if (scols_print_table(table) || fflush(stdout) || ferror(stdout))
		err(EXIT_TROUBLE, "cannot print");
	scols_unref_table(table);
}

void print_json(json_t *json)
{
	if (json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) ||
	    putchar('\n') == EOF || fflush(stdout))
		err(EXIT_TROUBLE, "cannot print");
	json_decref(json);
}

/* The machine */

static char *first_line(const char *path, const char *key)
{
	FILE *file = fopen(path, "re");
	char line[256], *text = NULL;

	while (file && !text && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, key, strlen(key)))
			text = format("%s", line + strlen(key));
	}
	if (file)
		fclose(file);
	return text;
}

static char *processor_name(void)
{
	char *text = first_line("/proc/cpuinfo", "model name");

	return text ? text + strspn(text, "\t :") : format("unknown");
}

static char *driver_name(void)
{
	char *version = first_line("/sys/module/ntsync/version", "");

	return version ? format("this one, %s", version) :
			 format("another one, without a version");
}

static json_t *describe_machine(void)
{
	struct utsname kernel;
	json_t *machine;

	uname(&kernel);
	machine = json_pack("{s:s, s:s, s:s, s:s, s:i, s:[i,i], s:f}",
			    "driver", driver_name(), "kernel", kernel.release,
			    "architecture", kernel.machine,
			    "processor", processor_name(),
			    "processors", (int)sysconf(_SC_NPROCESSORS_ONLN),
			    "used", options.cpus[0], options.cpus[1],
			    "seconds", options.seconds);
	if (!machine)
		errx(EXIT_TROUBLE, "cannot describe the machine");
	return machine;
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void print_machine(const json_t *machine)
{
	printf("driver     %s\nkernel     %s, %s\nprocessor  %s, %d of them; on ",
	       text_of(machine, "driver"), text_of(machine, "kernel"),
	       text_of(machine, "architecture"), text_of(machine, "processor"),
	       (int)sysconf(_SC_NPROCESSORS_ONLN));
	if (options.cpus[1] < 0)
		printf("%d\n\n", options.cpus[0]);
	else
		printf("%d and %d\n\n", options.cpus[0], options.cpus[1]);
}

/* Figures */

static struct libscols_table *table;
static json_t *rows, *machine;

void report_begin(void)
{
	static const char * const columns[] = {
		"SECTION", "OPERATION", "NS", "FLOOR", "ABOVE", "SPREAD", "",
	};

	machine = describe_machine();
	rows = json_array();
	table = new_table(columns, ARRAY_SIZE(columns), 2);
}

void report_figure(const struct figure *figure)
{
	char * const cells[] = {
		format("%s", figure->section), format("%s", figure->name),
		format("%.0f", figure->ns), format("%.0f", figure->floor),
		format("%.0f", figure->above), format("%.0f", figure->spread),
		format("%s", figure->disturbed ? "disturbed" : ""),
	};

	add_line(table, cells, ARRAY_SIZE(cells));
	json_array_append_new(rows, json_pack("{s:s, s:s, s:f, s:f, s:f, s:f, s:b}",
					      "section", figure->section,
					      "operation", figure->name,
					      "ns", figure->ns,
					      "floor", figure->floor,
					      "above", figure->above,
					      "spread", figure->spread,
					      "disturbed", figure->disturbed));
}

void report_end(void)
{
	if (options.json) {
		print_json(json_pack("{s:s, s:o, s:o}", "ntsync_bench", VERSION,
				     "machine", machine, "rows", rows));
		return;
	}
	print_machine(machine);
	print_lines(table);
}
