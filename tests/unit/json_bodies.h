/* SPDX-License-Identifier: MIT */
/* What is JSON and what is not: one table for everything that reads it from outside, and for every
 * version of json-c. */
#ifndef WSB_JSON_BODIES_H
#define WSB_JSON_BODIES_H

#include "core/base/jsonparse.h"

struct json_body {
	const char *bytes;
	size_t len;
	enum jsonparse_outcome outcome;
};

#define JSON_BODY(text, outcome)                \
	{                                       \
		text, sizeof(text) - 1, outcome \
	}
#define GOOD(text)  JSON_BODY(text, JSONPARSE_OK)
#define BAD(text)   JSON_BODY(text, JSONPARSE_NOT_JSON)
#define TWICE(text) JSON_BODY(text, JSONPARSE_DUPLICATE_KEY)

static const struct json_body json_bodies[] = {
	GOOD("{}"),
	GOOD("[]"),
	GOOD("null"),
	GOOD("true"),
	GOOD("false"),
	GOOD("0"),
	GOOD("-1.5e+3"),
	GOOD("\"\""),
	GOOD(" \t\r\n{ \"n\" : [ 1 , { } , [ ] ] } \t\r\n"),
	GOOD("{\"a\":true,\"b\":false,\"c\":null,\"d\":[true,false,null]}"),
	GOOD("[0,-0,1,10,-10,0.5,-0.5,1e5,1E5,1e+5,1e-5,0e0,1.0E-0,18446744073709551616,1e999]"),
	GOOD("{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":1}]}"),
	GOOD("{\"a\":1,\"A\":2,\"\":3,\" a\":4}"),
	GOOD("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00fc\\uD83D\\ude00\\u0000\""),
	GOOD("\"a\\ud800b\""),
	GOOD("\"// /* # ' ,] }\""),
	/* Beyond ASCII, in keys and values: two, three and four bytes, the first and the last of
	   each. */
	GOOD("{\"region\":\"Z\xc3\xbcrich\",\"Gr\xc3\xb6\xc3\x9f"
	     "e\":1}"),
	GOOD("[\"\xc2\x80\",\"\xdf\xbf\",\"\xe0\xa0\x80\",\"\xed\x9f\xbf\",\"\xee\x80\x80\",\"\xef\xbf\xbf\"]"),
	GOOD("[\"\xf0\x90\x80\x80\",\"\xf4\x8f\xbf\xbf\",\"\xf0\x9f\x98\x80\",\"\xe2\x82\xac\"]"),
	GOOD("\"\x7f\xef\xbb\xbf\""),
	/* A byte order mark before the text, once. */
	GOOD("\xef\xbb\xbf{\"n\":1}"),
	GOOD("\xef\xbb\xbf {\"n\":1}\n"),
	BAD("\xef\xbb\xbf"),
	BAD("\xef\xbb\xbf\xef\xbb\xbf{}"),
	BAD(" \xef\xbb\xbf{}"),
	BAD("{}\xef\xbb\xbf"),
	BAD("{\xef\xbb\xbf\"n\":1}"),
	BAD("\xef\xbb{}"),
	BAD("\xef{}"),
	BAD("\xff\xfe{\0}\0"),
	/* No UTF-8: alone, cut short, overlong, a surrogate, too high. */
	BAD("\"\xff\""),
	BAD("\"\x80\""),
	BAD("\"\xfc\""),
	BAD("\"Z\xfcrich\""),
	BAD("\"\xc3\""),
	BAD("\"\xe2\x82\""),
	BAD("\"\xf0\x9f\x98\""),
	BAD("\"\xc0\x80\""),
	BAD("\"\xc1\xbf\""),
	BAD("\"\xe0\x80\xaf\""),
	BAD("\"\xf0\x80\x80\xaf\""),
	BAD("\"\xed\xa0\x80\""),
	BAD("\"\xf4\x90\x80\x80\""),
	BAD("\"\xf8\x88\x80\x80\x80\""),
	BAD("{\"\xff\":1}"),
	BAD("{}\xff"),
	BAD("\xc2\xa0{}"),
	BAD("{\xe2\x80\xa8}"),
	/* Control characters. */
	BAD("\"a\tb\""),
	BAD("\"a\nb\""),
	BAD("\"a\x1f\""),
	BAD("{\"a\nb\":1}"),
	BAD("{}\v"),
	BAD("\f{}"),
	/* NUL bytes, which C takes for an end. */
	BAD("\0"),
	BAD("\0{}"),
	BAD("{}\0"),
	BAD("{\"n\":1\0}"),
	BAD("1\0"),
	BAD("{\"n\":4\0"
	    "2}"),
	BAD("\"a\0b\""),
	BAD("{\"a\0b\":1}"),
	/* A key that json-c would cut. */
	BAD("{\"a\\u0000b\":1}"),
	BAD("{\"\\u0000\":1}"),
	GOOD("{\"\\u0001\":1,\"\\u1000\":\"\\u0000\"}"),
	/* Nothing, or not all of it. */
	BAD(""),
	BAD(" \n"),
	BAD("{"),
	BAD("["),
	BAD("{\"n\""),
	BAD("{\"n\":"),
	BAD("{\"n\":1"),
	BAD("[1"),
	BAD("[1,"),
	BAD("\""),
	BAD("\"\\"),
	BAD("\"\\u00"),
	BAD("tru"),
	BAD("-"),
	BAD("1."),
	BAD("1e"),
	BAD("1e+"),
	/* Comments. */
	BAD("{}/* none */"),
	BAD("/* none */{}"),
	BAD("{/* none */\"n\":1}"),
	BAD("{\"n\":1}// none"),
	BAD("{\"n\":1 // none\n}"),
	BAD("# none\n{}"),
	/* Commas and colons. */
	BAD("[1,]"),
	BAD("[,1]"),
	BAD("[,]"),
	BAD("[1,,2]"),
	BAD("[1 2]"),
	BAD("{\"n\":1,}"),
	BAD("{,}"),
	BAD("{,\"n\":1}"),
	BAD("{\"n\":1,,\"m\":2}"),
	BAD("{\"n\":1 \"m\":2}"),
	BAD("{\"n\" 1}"),
	BAD("{\"n\"::1}"),
	BAD("{\"n\":}"),
	BAD("{\"n\"}"),
	BAD("{\"n\",\"m\"}"),
	BAD("[\"n\":1]"),
	BAD("{1}"),
	BAD("{[]:1}"),
	/* Brackets. */
	BAD("]"),
	BAD("}"),
	BAD("[}"),
	BAD("{]"),
	BAD("[1}"),
	BAD("{\"n\":1]"),
	BAD("{}}"),
	BAD("[]]"),
	/* Numbers. */
	BAD("{\"n\":042}"),
	BAD("042"),
	BAD("-042"),
	BAD("00"),
	BAD("0x2a"),
	BAD("+1"),
	BAD("--1"),
	BAD("- 1"),
	BAD(".5"),
	BAD("5."),
	BAD("[5.]"),
	BAD("-.5"),
	BAD("1.e5"),
	BAD("1.5.5"),
	BAD("1e5.5"),
	BAD("1e5e5"),
	BAD("1e+-5"),
	BAD("1_000"),
	BAD("1,5"),
	BAD("42abc"),
	BAD("[42abc]"),
	BAD("0 1"),
	/* Words. */
	BAD("TRUE"),
	BAD("{\"n\":TRUE}"),
	BAD("True"),
	BAD("Null"),
	BAD("None"),
	BAD("truer"),
	BAD("nul l"),
	BAD("NaN"),
	BAD("{\"n\":NaN}"),
	BAD("[nan]"),
	BAD("Infinity"),
	BAD("[-Infinity]"),
	BAD("undefined"),
	/* Strings. */
	BAD("'a'"),
	BAD("{'n':1}"),
	BAD("{\"n\":'1'}"),
	BAD("{n:1}"),
	BAD("\"\\'\""),
	BAD("\"\\x41\""),
	BAD("\"\\a\""),
	BAD("\"\\U0041\""),
	BAD("\"\\u12G4\""),
	BAD("\"\\u 123\""),
	BAD("\"\\u-123\""),
	BAD("\"\\\n\""),
	BAD("`a`"),
	/* One text, and nothing behind it. */
	BAD("{}{}"),
	BAD("{} {}"),
	BAD("{},"),
	BAD("{} x"),
	BAD("\"a\"\"b\""),
	BAD("1 2"),
	BAD("{}\xc2\x85"),
	BAD("<html></html>"),
	BAD("agentsConnections 42\n"),
	/* Two members with one name, however each is spelt and whatever it holds. */
	TWICE("{\"n\":1,\"n\":2}"),
	TWICE("{\"n\":1,\"n\":1}"),
	TWICE("{\"n\":1,\"\\u006e\":1}"),
	TWICE("{\"n\":{},\"n\":{\"m\":1}}"),
	TWICE("{\"n\":{\"a\":1,\"b\":2},\"m\":1,\"n\":[]}"),
	TWICE("{\"a\":{\"n\":1,\"n\":2}}"),
	TWICE("[[{\"n\":1,\"n\":2}]]"),
	TWICE("{\"\":1,\"\":2}"),
	TWICE("{\"\xc3\xa4\":1,\"\\u00e4\":2}"),
	TWICE("{\"n\":1,\"m\":2,\"n\":null}"),
};

#undef GOOD
#undef BAD
#undef TWICE
#undef JSON_BODY

#endif
