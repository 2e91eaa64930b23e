/* SPDX-License-Identifier: MIT */
/* The two clocks. */
#ifndef WSB_CLOCK_H
#define WSB_CLOCK_H

#include <stdint.h>

/* Monotonic milliseconds: for ages, never for show. */
int64_t clock_now_ms(void);

/* The same in microseconds. */
int64_t clock_now_us(void);

/* Microseconds of processor that this process has used: for what something costs. */
int64_t clock_cpu_us(void);

/* Milliseconds since the epoch: for show, never for ages. */
int64_t clock_wall_ms(void);

#endif
