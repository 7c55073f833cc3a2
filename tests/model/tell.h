/* SPDX-License-Identifier: GPL-2.0 */
/* Texts of objects, operations, waits and answers, of at most TELL_TEXT bytes. */
#ifndef NTSYNC_TELL_H
#define NTSYNC_TELL_H

#include "model.h"

#define TELL_TEXT	400

/* All of these append to a text. */

void tell(char *text, const char *format, ...);
void tell_object(char *text, const struct model_obj *obj);
void tell_op(char *text, int obj, enum model_op op, uint32_t arg);
void tell_wait(char *text, const struct model_args *wait);
void tell_answer(char *text, struct model_answer answer);

#endif /* NTSYNC_TELL_H */
