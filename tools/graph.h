/* SPDX-License-Identifier: GPL-2.0 */
/* Output: offers to print a snapshot and its verdicts as a graph for dot. */
#ifndef GRAPH_H
#define GRAPH_H

#include "snapshot.h"

void print_graph(const struct snapshot *snapshot,
		 bool (*wanted)(const struct snapshot *snapshot,
				unsigned int instance));

#endif /* GRAPH_H */
