/* SPDX-License-Identifier: MIT */
/* HAProxy's answers to the commands for slots, some of which say something when they succeed. */
#ifndef WSB_SLOTS_REPLY_H
#define WSB_SLOTS_REPLY_H

#include <stddef.h>

/* Finds the first complaint in an answer: copies it, cut to size, to complaint and returns how many
 * lines complain. */
size_t slots_reply_complaints(const char *reply, size_t len, char *complaint, size_t size);

#endif
