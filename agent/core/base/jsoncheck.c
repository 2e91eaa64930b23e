/* SPDX-License-Identifier: MIT */
/* The grammar of JSON (RFC 8259), checked byte by byte. */
#include "core/base/jsoncheck.h"

#include "core/base/text.h"

enum state {
	VALUE,          /* before a value */
	VALUE_OR_END,   /* after "[" */
	KEY,            /* after "," in an object */
	KEY_OR_END,     /* after "{" */
	COLON,          /* after a key */
	AFTER_VALUE,    /* in an object or an array */
	STRING,         /* between its quotes */
	CHARACTER,      /* within a character beyond ASCII */
	ESCAPE,         /* after "\" */
	HEX,            /* after "\u" */
	LITERAL,        /* within true, false, null */
	MINUS,          /* of a number: after "-" */
	ZERO,           /* after a 0 that begins it */
	WHOLE,          /* after 1 to 9 and more digits */
	POINT,          /* after "." */
	FRACTION,       /* after a digit behind the point */
	EXPONENT,       /* after "e" */
	EXPONENT_SIGN,  /* after its sign */
	EXPONENT_DIGIT, /* after its digits */
	DONE,
	BAD,
};

bool jsoncheck_is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static enum state value_ended(const struct jsoncheck *check)
{
	return check->depth == 0 ? DONE : AFTER_VALUE;
}

static enum state open_level(struct jsoncheck *check, bool is_object)
{
	if (check->depth == JSONCHECK_DEPTH_MAX)
		return BAD;
	check->depth++;
	check->cost += is_object ? JSONCHECK_COST_OBJECT : JSONCHECK_COST_ARRAY;
	check->is_object = check->is_object << 1 | is_object;
	return is_object ? KEY_OR_END : VALUE_OR_END;
}

static enum state close_level(struct jsoncheck *check)
{
	check->depth--;
	check->is_object >>= 1;
	return value_ended(check);
}

static enum state begin_string(struct jsoncheck *check, bool is_key)
{
	check->is_key = is_key;
	return STRING;
}

static enum state begin_literal(struct jsoncheck *check, const char *rest)
{
	check->literal = rest;
	return LITERAL;
}

static enum state begin_value(struct jsoncheck *check, char c)
{
	check->cost++;
	switch (c) {
	case '{':
		return open_level(check, true);
	case '[':
		return open_level(check, false);
	case '"':
		return begin_string(check, false);
	case 't':
		return begin_literal(check, "rue");
	case 'f':
		return begin_literal(check, "alse");
	case 'n':
		return begin_literal(check, "ull");
	case '-':
		return MINUS;
	case '0':
		return ZERO;
	default:
		return is_digit(c) ? WHOLE : BAD;
	}
}

/* Between values, where space may stand. */
static enum state step_between(struct jsoncheck *check, char c)
{
	enum state state = (enum state)check->state;
	bool in_object = check->is_object & 1;

	if (jsoncheck_is_space(c))
		return state;
	if (state == VALUE || (state == VALUE_OR_END && c != ']'))
		return begin_value(check, c);
	if (state == COLON)
		return c == ':' ? VALUE : BAD;
	if ((state == KEY || state == KEY_OR_END) && c == '"')
		return begin_string(check, true);
	if (state == AFTER_VALUE && c == ',')
		return in_object ? KEY : VALUE;
	/* Nothing but an end is left, and it may not follow a comma. */
	return state != KEY && c == (in_object ? '}' : ']') ? close_level(check) : BAD;
}

static enum state end_string(struct jsoncheck *check)
{
	if (!check->is_key)
		return value_ended(check);
	check->n_members++;
	return COLON;
}

static enum state step_string(struct jsoncheck *check, char c)
{
	if (c == '"')
		return end_string(check);
	if (c == '\\')
		return ESCAPE;
	if ((unsigned char)c < 0x20)
		return BAD;
	if ((unsigned char)c < 0x80)
		return STRING;
	check->character[0] = c;
	check->n_bytes = 1;
	return CHARACTER;
}

/* The first byte says how many there are; once they are all there, they are looked at. */
static enum state step_character(struct jsoncheck *check, char c)
{
	unsigned char first = (unsigned char)check->character[0];
	unsigned n_wanted = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	uint32_t point;

	check->character[check->n_bytes++] = c;
	if (check->n_bytes < n_wanted)
		return CHARACTER;
	return text_utf8_decode(check->character, n_wanted, &point) == n_wanted ? STRING : BAD;
}

static enum state step_escape(struct jsoncheck *check, char c)
{
	switch (c) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		return STRING;
	case 'u':
		check->n_digits = 0;
		check->is_nul = true;
		return HEX;
	default:
		return BAD;
	}
}

static enum state step_hex(struct jsoncheck *check, char c)
{
	char lower = (char)(c | 0x20);

	if (!is_digit(c) && !(lower >= 'a' && lower <= 'f'))
		return BAD;
	check->is_nul = check->is_nul && c == '0';
	if (++check->n_digits < 4)
		return HEX;
	return check->is_nul && check->is_key ? BAD : STRING;
}

static enum state step_literal(struct jsoncheck *check, char c)
{
	if (c != *check->literal)
		return BAD;
	check->literal++;
	return *check->literal ? LITERAL : value_ended(check);
}

static bool is_number(enum state state)
{
	return state >= MINUS && state <= EXPONENT_DIGIT;
}

static enum state after_digit(enum state state, char c)
{
	switch ((unsigned)state) {
	case MINUS:
		return c == '0' ? ZERO : WHOLE;
	case WHOLE:
		return WHOLE;
	case POINT:
	case FRACTION:
		return FRACTION;
	case EXPONENT:
	case EXPONENT_SIGN:
	case EXPONENT_DIGIT:
		return EXPONENT_DIGIT;
	default:
		return BAD; /* after a 0 that begins the number */
	}
}

/* DONE: the number ended before c. */
static enum state step_number(enum state state, char c)
{
	bool is_whole = state == ZERO || state == WHOLE;

	if (is_digit(c))
		return after_digit(state, c);
	if (c == '.' && is_whole)
		return POINT;
	if ((c == 'e' || c == 'E') && (is_whole || state == FRACTION))
		return EXPONENT;
	if ((c == '+' || c == '-') && state == EXPONENT)
		return EXPONENT_SIGN;
	return is_whole || state == FRACTION || state == EXPONENT_DIGIT ? DONE : BAD;
}

static enum state step(struct jsoncheck *check, char c)
{
	switch (check->state) {
	case STRING:
		return step_string(check, c);
	case CHARACTER:
		return step_character(check, c);
	case ESCAPE:
		return step_escape(check, c);
	case HEX:
		return step_hex(check, c);
	case LITERAL:
		return step_literal(check, c);
	default:
		return step_between(check, c);
	}
}

enum jsoncheck_outcome jsoncheck_feed(
	struct jsoncheck *check, const char *bytes, size_t len, size_t *n_used)
{
	size_t i = 0;

	while (i < len && check->state < DONE) {
		if (is_number((enum state)check->state)) {
			enum state next = step_number((enum state)check->state, bytes[i]);

			/* What ends a number is no part of it. */
			if (next == DONE) {
				check->state = value_ended(check);
				continue;
			}
			check->state = next;
		} else {
			check->state = step(check, bytes[i]);
		}
		i++;
	}
	*n_used = i;
	if (check->state == DONE)
		return JSONCHECK_END;
	return check->state == BAD ? JSONCHECK_BAD : JSONCHECK_MORE;
}
