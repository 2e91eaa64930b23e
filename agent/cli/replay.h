/* SPDX-License-Identifier: MIT */
/* wsbalancer --replay: what a configuration would have made of recorded rounds. */
#ifndef WSB_REPLAY_H
#define WSB_REPLAY_H

#include <stdbool.h>

/*
 * Reads the record at record_path ("-": standard input) line by line and prints to standard output
 * what the configuration at config_path changes, and how the last round stands. The files that the
 * configuration names need not be there. Lines that are no rounds are counted and left out. False,
 * with a line on standard error, when a file cannot be read or holds no round.
 */
bool replay_run(const char *record_path, const char *config_path);

#endif
