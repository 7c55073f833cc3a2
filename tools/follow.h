/* SPDX-License-Identifier: GPL-2.0 */
/* Output: offers the events of one object or process as they come, as a transcript. */
#ifndef FOLLOW_H
#define FOLLOW_H

#include "options.h"

int follow(const struct options *options);

#endif /* FOLLOW_H */
