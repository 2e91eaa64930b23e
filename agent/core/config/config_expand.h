/* SPDX-License-Identifier: MIT */
/* Environment variables in the configuration's values. */
#ifndef WSB_CONFIG_EXPAND_H
#define WSB_CONFIG_EXPAND_H

#include "core/base/why.h"

/* Looks up an environment variable: NULL when it is not set. arg is the caller's. */
typedef const char *(*config_getenv)(const char *name, void *arg);

/*
 * Replaces each ${NAME} in text by what lookup gives, and $${ by ${; any other $ stays. It runs on
 * one value after YAML has been parsed, so a variable cannot bring in a key. The result is the
 * caller's, to be freed; it is UTF-8 and holds no control character but a tab. NULL: *why says
 * why, and never shows what a variable holds.
 */
char *config_expand(const char *text, config_getenv lookup, void *arg, struct why *why);

#endif
