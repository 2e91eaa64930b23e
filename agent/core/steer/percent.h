/* SPDX-License-Identifier: MIT */
/* Weights as percentages of the configured weight: all that an agent-check answer can say. */
#ifndef WSB_PERCENT_H
#define WSB_PERCENT_H

/*
 * The percentage N with which HAProxy sets exactly this weight: it takes iweight * N / 100,
 * truncated, 256 at most (server.c, server_parse_weight_change_request). iweight is 1..256, weight
 * one that percent_reachable returned for it.
 */
int percent_of(int iweight, int weight);

/* The weight nearest to the wanted one that a percentage of iweight can give; 0 only for 0. Above
 * a configured weight of 100 not every weight can be had. */
int percent_reachable(int iweight, int weight);

#endif
