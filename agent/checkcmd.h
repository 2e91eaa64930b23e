/* SPDX-License-Identifier: MIT */
/* `wsbalancer check`. */
#ifndef WSB_CHECKCMD_H
#define WSB_CHECKCMD_H

/*
 * Reads the configuration, asks HAProxy and each pod once, changes nothing, and says in a line each
 * what is as it must be and what is not. argv[0] is "check", -c FILE may follow. Returns the exit
 * status: 0 without a fault, 1 with one, 2 after a wrong command line.
 */
int checkcmd_main(int argc, char **argv);

#endif
