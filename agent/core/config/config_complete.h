/* SPDX-License-Identifier: MIT */
/* The configuration's members that no key fills: they follow from others. */
#ifndef WSB_CONFIG_COMPLETE_H
#define WSB_CONFIG_COMPLETE_H

#include <stdbool.h>

/* Of a whole struct config. */
bool config_complete_root(void *config);

/* Of a struct config_kubernetes: a backend is named as its Service unless the file names it. False
 * when out of memory. */
bool config_complete_kubernetes(void *entry);

#endif
