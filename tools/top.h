/* SPDX-License-Identifier: GPL-2.0 */
/* Output: offers rates as they change, on a terminal or for a script. */
#ifndef TOP_H
#define TOP_H

#include "activity.h"
#include "options.h"

int top(const struct options *options);

#endif /* TOP_H */
