/* SPDX-License-Identifier: MIT */
#include "core/haproxy/harows.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_LEN = 2000 }; /* two of them fit where the cluster looks a server up */

/* A server without a number there, or a backend without an algorithm, has an empty field. */
enum {
	STAT_BACKEND,
	STAT_NAME,
	STAT_SCUR,
	STAT_STOT,
	STAT_STATUS,
	STAT_BACKUP,
	STAT_TYPE,
	STAT_UWEIGHT,
	STAT_MODE,
	STAT_ALGO,
	STAT_COOKIE, /* from here on what can be done without */
	STAT_SLIM,
	STAT_THROTTLE,
	N_STAT
};
static const char *const stat_columns[N_STAT] = {
	[STAT_BACKEND] = "pxname",
	[STAT_NAME] = "svname",
	[STAT_SCUR] = "scur",
	[STAT_SLIM] = "slim",
	[STAT_STOT] = "stot",
	[STAT_STATUS] = "status",
	[STAT_BACKUP] = "bck",
	[STAT_THROTTLE] = "throttle",
	[STAT_TYPE] = "type",
	[STAT_UWEIGHT] = "uweight",
	[STAT_MODE] = "mode",
	[STAT_ALGO] = "algo",
	[STAT_COOKIE] = "cookie",
};

enum {
	STATE_ID,
	STATE_BACKEND,
	STATE_NAME,
	STATE_ADDR,
	STATE_PORT,
	STATE_FQDN,
	STATE_OP,
	STATE_ADMIN,
	STATE_IWEIGHT,
	STATE_AGENT_PORT,
	STATE_SRV, /* likewise */
	STATE_CHECK,
	STATE_CHECK_PORT,
	N_STATE
};
static const char *const state_columns[N_STATE] = {
	[STATE_ID] = "be_id",
	[STATE_BACKEND] = "be_name",
	[STATE_NAME] = "srv_name",
	[STATE_ADDR] = "srv_addr",
	[STATE_PORT] = "srv_port",
	[STATE_FQDN] = "srv_fqdn",
	[STATE_SRV] = "srvrecord",
	[STATE_OP] = "srv_op_state",
	[STATE_ADMIN] = "srv_admin_state",
	[STATE_IWEIGHT] = "srv_iweight",
	[STATE_CHECK] = "srv_check_state",
	[STATE_CHECK_PORT] = "srv_check_port",
	[STATE_AGENT_PORT] = "srv_agent_port",
};

bool harows_init(struct harows *rows, size_t max_rows)
{
	*rows = (struct harows){
		.stat_table = {.style = HATABLE_CSV,
			.wanted = stat_columns,
			.n_wanted = N_STAT,
			.n_optional = N_STAT - STAT_COOKIE},
		.state_table = {.style = HATABLE_SPACES,
			.wanted = state_columns,
			.n_wanted = N_STATE,
			.n_optional = N_STATE - STATE_SRV},
		.stat = calloc(max_rows + 1, sizeof(*rows->stat)),
		.state = calloc(max_rows + 1, sizeof(*rows->state)),
		.backends = calloc(max_rows + 1, sizeof(*rows->backends)),
		.servers = calloc(max_rows + 1, sizeof(*rows->servers)),
	};
	return rows->stat && rows->state && rows->backends && rows->servers;
}

void harows_fini(struct harows *rows)
{
	free(rows->index);
	free(rows->servers);
	free(rows->backends);
	free(rows->state);
	free(rows->stat);
}

bool harows_stat_header(struct harows *rows, char *line)
{
	return hatable_read_header(&rows->stat_table, line);
}

bool harows_state_header(struct harows *rows, char *line)
{
	return hatable_read_header(&rows->state_table, line);
}

/* HAProxy has no name for "random" and writes "unknown" (backend_lb_algo_str in backend.c, 2.6 to
 * 3.2). It does so too for what backends of mode log have, but those balance no connections: they
 * go by their mode. */
static const char *algo_of(const struct hatable *table)
{
	const char *mode = table->fields[STAT_MODE];
	const char *algo = table->fields[STAT_ALGO];

	if (*mode && strcmp(mode, "tcp") != 0 && strcmp(mode, "http") != 0)
		return mode;
	return strcmp(algo, "unknown") == 0 ? "random" : algo;
}

/* HAProxy takes no other bytes in names (invalid_char in tools.c, 2.6 to 3.2) and no lines of more
 * than 2 kB. Any other byte could mean something in "backend/server" or in a command. */
static bool check_name(struct hatable *table, size_t column)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_.:";
	const char *name = table->fields[column];
	size_t len = strspn(name, bytes);

	if (len > 0 && len < NAME_MAX_LEN && name[len] == '\0')
		return true;
	table->bad = table->wanted[column];
	return false;
}

bool harows_stat_row(struct harows *rows, char *line)
{
	enum { TYPE_BACKEND = 1, TYPE_SERVER = 2 };
	struct hatable *table = &rows->stat_table;
	uint64_t type;
	uint64_t scur;
	uint64_t stot;
	uint64_t uweight;
	uint64_t backup;
	uint64_t maxconn;

	if (!hatable_read_row(table, line) || !hatable_number(table, STAT_TYPE, 3, &type) ||
		!hatable_number(table, STAT_SCUR, UINT32_MAX, &scur) ||
		!hatable_number(table, STAT_STOT, UINT64_MAX, &stot))
		return false;
	if (type != TYPE_BACKEND && type != TYPE_SERVER)
		return true;
	if (!check_name(table, STAT_BACKEND) || !check_name(table, STAT_NAME))
		return false;
	if (type == TYPE_BACKEND) {
		/* A socket of level user shows everything but the algorithm, and no addresses. */
		rows->denied = rows->denied || table->fields[STAT_ALGO][0] == '\0';
		rows->backends[rows->n_backends++] = (struct hastate_backend){
			.name = table->fields[STAT_BACKEND],
			.algo = algo_of(table),
			.sticky = table->fields[STAT_COOKIE][0] != '\0',
			.tcp = strcmp(table->fields[STAT_MODE], "tcp") == 0,
			.scur = (uint32_t)scur,
		};
		return true;
	}
	if (!hatable_number(table, STAT_UWEIGHT, 256, &uweight) ||
		!hatable_number(table, STAT_BACKUP, 1, &backup) ||
		!hatable_number(table, STAT_SLIM, UINT32_MAX, &maxconn))
		return false;
	rows->stat[rows->n_stat++] = (struct harow){
		.backend = table->fields[STAT_BACKEND],
		.server =
			{
				.name = table->fields[STAT_NAME],
				.status = table->fields[STAT_STATUS],
				.uweight = (int)uweight,
				.scur = (uint32_t)scur,
				.stot = stot,
				.backup = backup != 0,
				.slow = table->fields[STAT_THROTTLE][0] != '\0',
				.maxconn = (uint32_t)maxconn,
			},
	};
	return true;
}

/* "-" stands for nothing. */
static const char *or_empty(const char *field)
{
	return strcmp(field, "-") == 0 ? "" : field;
}

static bool is_by_srv(const struct hatable *table)
{
	return or_empty(table->fields[STATE_SRV])[0] != '\0';
}

bool harows_state_row(struct harows *rows, char *line)
{
	enum { CHECK_CONFIGURED = 2 }; /* HAProxy's check-t.h, CHK_ST_CONFIGURED */
	struct hatable *table = &rows->state_table;
	uint64_t op_state;
	uint64_t admin_state;
	uint64_t iweight;
	uint64_t port;
	uint64_t check;
	uint64_t check_port;
	uint64_t agent_port;
	uint64_t id;

	if (!hatable_read_row(table, line) || !check_name(table, STATE_BACKEND) ||
		!check_name(table, STATE_NAME) || !hatable_number(table, STATE_OP, 3, &op_state) ||
		!hatable_number(table, STATE_ADMIN, UINT16_MAX, &admin_state) ||
		!hatable_number(table, STATE_IWEIGHT, 256, &iweight) ||
		!hatable_number(table, STATE_ID, UINT32_MAX, &id) ||
		!hatable_number(table, STATE_PORT, UINT32_MAX, &port) ||
		!hatable_number(table, STATE_CHECK, UINT16_MAX, &check) ||
		!hatable_number(table, STATE_CHECK_PORT, UINT16_MAX, &check_port) ||
		!hatable_number(table, STATE_AGENT_PORT, UINT16_MAX, &agent_port))
		return false;
	/* A port that is relative to the client's: "server a 10.0.0.1:-1000" is a number that wraps
	 * around and says nothing that could be used, and "+1000" is 1000. That one HAProxy checks
	 * by no port but one of the check's own, so a check without such tells a port that is real;
	 * so do SRV records. Measured on 2.6, 3.0 and 3.2. */
	if (port > UINT16_MAX)
		port = 0;
	rows->state[rows->n_state++] = (struct harow){
		.backend_id = (uint32_t)id,
		.backend = table->fields[STATE_BACKEND],
		.server =
			{
				.name = table->fields[STATE_NAME],
				.address = or_empty(table->fields[STATE_ADDR]),
				.port = (uint16_t)port,
				.port_is_sure =
					((check & CHECK_CONFIGURED) != 0 && check_port == 0) ||
					is_by_srv(table),
				.fqdn = or_empty(table->fields[STATE_FQDN]),
				.by_srv = is_by_srv(table),
				.admin_state = (unsigned)admin_state,
				.op_state = (unsigned)op_state,
				.iweight = (int)iweight,
				.agent_port = (uint16_t)agent_port,
			},
	};
	return true;
}

static int compare_servers(const char *backend, const char *server, const struct harow *row)
{
	int order = strcmp(backend, row->backend);

	return order ? order : strcmp(server, row->server.name);
}

static int compare_rows(const void *a, const void *b)
{
	const struct harow *const *x = a;
	const struct harow *const *y = b;

	return compare_servers((*x)->backend, (*x)->server.name, *y);
}

static int compare_wanted(const void *wanted, const void *b)
{
	const struct harow *state = wanted;
	const struct harow *const *row = b;

	return compare_servers(state->backend, state->server.name, *row);
}

static bool index_stat(struct harows *rows)
{
	rows->index = calloc(rows->n_stat + 1, sizeof(struct harow *));
	if (!rows->index)
		return false;
	for (size_t i = 0; i < rows->n_stat; i++)
		rows->index[i] = &rows->stat[i];
	qsort(rows->index, rows->n_stat, sizeof(struct harow *), compare_rows);
	return true;
}

/* Both tables list a backend's servers in the same order, so the next row is mostly the wanted one;
 * where it is not, a sorted index is made once. *found is NULL where there is none. False when out
 * of memory. */
static bool find_stat(
	struct harows *rows, const struct harow *state, size_t *cursor, const struct harow **found)
{
	const struct harow **place;

	*found = NULL;
	if (*cursor < rows->n_stat &&
		compare_servers(state->backend, state->server.name, &rows->stat[*cursor]) == 0) {
		*found = &rows->stat[(*cursor)++];
		return true;
	}
	if (!rows->index && !index_stat(rows))
		return false;
	place = bsearch(state, rows->index, rows->n_stat, sizeof(struct harow *), compare_wanted);
	if (place) {
		*found = *place;
		*cursor = (size_t)(*found - rows->stat) + 1;
	}
	return true;
}

/* The same for a backend; *cursor is the one after that found last. */
static struct hastate_backend *find_backend(struct harows *rows, const char *name, size_t *cursor)
{
	for (size_t step = 0; step < rows->n_backends; step++) {
		size_t i = (*cursor + step) % rows->n_backends;

		if (strcmp(rows->backends[i].name, name) == 0) {
			*cursor = i + 1;
			return &rows->backends[i];
		}
	}
	return NULL;
}

bool harows_join(struct harows *rows)
{
	size_t n = 0;
	size_t cursor = 0;
	size_t backend_cursor = 0;
	struct hastate_backend *backend = NULL;

	for (size_t i = 0; i < rows->n_state; i++) {
		const struct harow *state = &rows->state[i];
		const struct harow *stat;

		if (!find_stat(rows, state, &cursor, &stat)) {
			rows->out_of_memory = true;
			return false;
		}
		if (!stat)
			continue;
		if (!backend || strcmp(backend->name, state->backend) != 0) {
			backend = find_backend(rows, state->backend, &backend_cursor);
			if (!backend || backend->n_servers > 0) {
				rows->why = "a backend's servers are not together";
				return false;
			}
			backend->servers = &rows->servers[n];
		}
		rows->servers[n] = state->server;
		rows->servers[n].status = stat->server.status;
		rows->servers[n].uweight = stat->server.uweight;
		rows->servers[n].scur = stat->server.scur;
		rows->servers[n].stot = stat->server.stot;
		rows->servers[n].backup = stat->server.backup;
		rows->servers[n].slow = stat->server.slow;
		rows->servers[n].maxconn = stat->server.maxconn;
		backend->id = state->backend_id;
		backend->n_servers++;
		n++;
	}
	return true;
}

const char *harows_why(const struct harows *rows)
{
	if (rows->why)
		return rows->why;
	if (rows->stat_table.bad)
		return rows->stat_table.bad;
	return rows->state_table.bad ? rows->state_table.bad : "";
}
