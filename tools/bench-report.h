/* SPDX-License-Identifier: GPL-2.0 */
/* Tables and JSON, of one run and of several that are compared. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <jansson.h>
#include <stddef.h>

struct libscols_table;

/* The first @names columns are texts and so is the last, the others are numbers. */
struct libscols_table *new_table(const char * const *columns, size_t nr, size_t names);
void add_line(struct libscols_table *table, char * const *cells, size_t nr);
void print_lines(struct libscols_table *table);
void print_json(json_t *json);

#endif /* BENCH_REPORT_H */
