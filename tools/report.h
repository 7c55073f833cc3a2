/* SPDX-License-Identifier: GPL-2.0 */
/* Output: offers an archive of everything that a maintainer needs. */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>

int report(const char *file, bool dry_run);

#endif /* REPORT_H */
