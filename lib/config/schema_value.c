#include <limits.h>
#include <string.h>

#include "config/schema_int.h"

/* ---- durations ---- */

static const struct {
	const char *name;
	uint64_t nanoseconds;
} units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "\xc2\xb5s", 1000 }, /* micro sign */
	{ "\xce\xbcs", 1000 }, /* Greek mu */
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", UINT64_C(60) * 1000000000 },
	{ "h", UINT64_C(3600) * 1000000000 },
};

#define N_UNITS (sizeof(units) / sizeof(units[0]))

static bool
is_digit(struct slice s)
{
	return s.n > 0 && s.p[0] >= '0' && s.p[0] <= '9';
}

/* Digits at the start of *s as a number. False if there are none or too
 * many; *scale_r is ten to the power of how many. */
static bool
take_digits(struct slice *s, uint64_t *v_r, uint64_t *scale_r)
{
	bool any = false;

	*v_r = 0;
	*scale_r = 1;
	for (; is_digit(*s); *s = slice_skip(*s, 1)) {
		if (__builtin_mul_overflow(*v_r, 10, v_r) ||
		    __builtin_add_overflow(*v_r, s->p[0] - '0', v_r) ||
		    __builtin_mul_overflow(*scale_r, 10, scale_r))
			return false;
		any = true;
	}
	return any;
}

/* "1.5h" at the start of *s, in nanoseconds. */
static bool
take_duration(struct slice *s, uint64_t *v_r)
{
	uint64_t whole, fraction = 0, scale, unit;
	struct slice name = { s->p, 0 };
	size_t i;

	if (!take_digits(s, &whole, &scale))
		return false;
	scale = 1;
	if (s->n > 0 && s->p[0] == '.') {
		*s = slice_skip(*s, 1);
		if (!take_digits(s, &fraction, &scale))
			return false;
	}
	name.p = s->p;
	while (s->n > 0 && !is_digit(*s) && s->p[0] != '.') {
		*s = slice_skip(*s, 1);
		name.n++;
	}
	for (i = 0; i < N_UNITS && !slice_is(name, units[i].name); i++)
		;
	if (i == N_UNITS)
		return false;
	unit = units[i].nanoseconds;
	return !__builtin_mul_overflow(whole, unit, v_r) &&
	    !__builtin_add_overflow(*v_r,
		(uint64_t)((unsigned __int128)fraction * unit / scale), v_r);
}

bool
schema_duration_parse(struct slice text, int64_t *nanoseconds_r)
{
	bool minus = text.n > 0 && text.p[0] == '-';
	uint64_t sum = 0, v;

	if (minus)
		text = slice_skip(text, 1);
	if (text.n == 0)
		return false;
	if (!slice_is(text, "0"))
		while (text.n > 0)
			if (!take_duration(&text, &v) ||
			    __builtin_add_overflow(sum, v, &sum))
				return false;
	if (sum > INT64_MAX)
		return false;
	*nanoseconds_r = minus ? -(int64_t)sum : (int64_t)sum;
	return true;
}

/* v / unit with as many decimals as are needed. */
static void
add_decimal(struct buf *b, uint64_t v, uint64_t unit, const char *name)
{
	buf_addu(b, v / unit);
	v %= unit;
	if (v > 0)
		buf_addc(b, '.');
	for (; v > 0; v %= unit) {
		unit /= 10;
		buf_addc(b, (char)('0' + v / unit));
	}
	buf_addz(b, name);
}

/* As Go prints it: hours, minutes, seconds from the largest that is not zero;
 * below a second one smaller unit. */
void
schema_duration_format(int64_t nanoseconds, struct buf *b)
{
	const uint64_t second = SCHEMA_SECOND, minute = 60 * second;
	uint64_t v = (uint64_t)nanoseconds;

	if (nanoseconds < 0) {
		buf_addc(b, '-');
		v = 0 - v;
	}
	if (v == 0)
		buf_addz(b, "0s");
	else if (v < 1000)
		add_decimal(b, v, 1, "ns");
	else if (v < 1000000)
		add_decimal(b, v, 1000, "\xc2\xb5s");
	else if (v < second)
		add_decimal(b, v, 1000000, "ms");
	else {
		if (v >= 60 * minute) {
			buf_addu(b, v / (60 * minute));
			buf_addc(b, 'h');
		}
		if (v >= minute) {
			buf_addu(b, v / minute % 60);
			buf_addc(b, 'm');
		}
		add_decimal(b, v % minute, second, "s");
	}
}

/* ---- scalars ---- */

static const char *
parse_string(struct slice text, void *dst)
{
	*(struct slice *)dst = text;
	return NULL;
}

static void
format_string(const void *src, struct buf *b)
{
	buf_add(b, *(const struct slice *)src);
}

static const char *
parse_bool(struct slice text, void *dst)
{
	bool yes = slice_is(text, "true");

	if (!yes && !slice_is(text, "false"))
		return "must be true or false";
	*(bool *)dst = yes;
	return NULL;
}

static void
format_bool(const void *src, struct buf *b)
{
	buf_addz(b, *(const bool *)src ? "true" : "false");
}

static const char *
parse_tri(struct slice text, void *dst)
{
	bool yes;
	const char *wrong = parse_bool(text, &yes);

	if (!wrong)
		*(enum schema_tri *)dst = yes ? TRI_TRUE : TRI_FALSE;
	return wrong;
}

static void
format_tri(const void *src, struct buf *b)
{
	bool yes = *(const enum schema_tri *)src == TRI_TRUE;

	format_bool(&yes, b);
}

static const char *
parse_int64(struct slice text, void *dst)
{
	return slice_i64(text, dst) ? NULL : "must be a number";
}

static void
format_int64(const void *src, struct buf *b)
{
	int64_t v = *(const int64_t *)src;

	if (v < 0)
		buf_addc(b, '-');
	buf_addu(b, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

static const char *
parse_int(struct slice text, void *dst)
{
	int64_t v;

	if (!slice_i64(text, &v))
		return "must be a number";
	if (v < INT_MIN || v > INT_MAX)
		return "must be a number of at most 31 bits";
	*(int *)dst = (int)v;
	return NULL;
}

static void
format_int(const void *src, struct buf *b)
{
	int64_t v = *(const int *)src;

	format_int64(&v, b);
}

/* Digits and at most one point: exact while all digits fit in 53 bits. */
static const char *
parse_float(struct slice text, void *dst)
{
	bool minus = text.n > 0 && text.p[0] == '-';
	uint64_t whole, fraction = 0, scale;
	double v;

	text = slice_skip(text, minus);
	if (!take_digits(&text, &whole, &scale))
		return "must be a decimal number";
	scale = 1;
	if (text.n > 0 && text.p[0] == '.') {
		text = slice_skip(text, 1);
		if (!take_digits(&text, &fraction, &scale))
			return "must be a decimal number";
	}
	if (text.n > 0 || whole > (UINT64_C(1) << 53))
		return "must be a decimal number";
	v = (double)whole + (double)fraction / (double)scale;
	*(double *)dst = minus ? -v : v;
	return NULL;
}

/* Six decimals, as printf has them but without its cost. */
static void
format_float(const void *src, struct buf *b)
{
	double v = *(const double *)src;
	int64_t millionths;

	if (!(v > -1e9 && v < 1e9)) {
		buf_addf(b, "%.6f", v);
		return;
	}
	millionths = (int64_t)(v * 1e6 + (v < 0 ? -0.5 : 0.5));
	if (millionths < 0) {
		buf_addc(b, '-');
		millionths = -millionths;
	}
	buf_addu(b, (uint64_t)millionths / 1000000);
	buf_addc(b, '.');
	for (int64_t digit = 100000; digit > 0; digit /= 10)
		buf_addc(b, (char)('0' + millionths / digit % 10));
}

static const char *
parse_duration(struct slice text, void *dst)
{
	return schema_duration_parse(text, dst)
	    ? NULL
	    : "must be a duration such as 72h, 1h30m or 15s";
}

static void
format_duration(const void *src, struct buf *b)
{
	schema_duration_format(*(const int64_t *)src, b);
}

static const struct schema_scalar scalars[] = {
	[SCHEMA_STRING] = { sizeof(struct slice), "", "text", parse_string,
	    format_string },
	[SCHEMA_BOOL] = { sizeof(bool), "false", "true or false", parse_bool,
	    format_bool },
	[SCHEMA_TRI] = { sizeof(enum schema_tri), "false", "true or false",
	    parse_tri, format_tri },
	[SCHEMA_INT] = { sizeof(int), "0", "number", parse_int, format_int },
	[SCHEMA_INT64] = { sizeof(int64_t), "0", "number", parse_int64,
	    format_int64 },
	[SCHEMA_FLOAT] = { sizeof(double), "0.000000", "decimal number",
	    parse_float, format_float },
	[SCHEMA_DURATION] = { sizeof(int64_t), "0s", "duration", parse_duration,
	    format_duration },
};

const struct schema_scalar *
schema_scalar(enum schema_type type)
{
	return type <= SCHEMA_DURATION ? &scalars[type] : NULL;
}

/* ---- values in structs ---- */

/* The pointers in a struct have types of their own, hence memcpy. */
struct schema_array
schema_array_get(const struct schema_field *field, const void *of)
{
	struct schema_array array;

	memcpy(&array, schema_member(field, of), sizeof(array));
	return array;
}

const void *
schema_struct_get(const struct schema_field *field, const void *of)
{
	const void *p;

	memcpy(&p, schema_member(field, of), sizeof(p));
	return p;
}

size_t
schema_element_size(const struct schema_field *field)
{
	if (field->type == SCHEMA_STRINGS)
		return sizeof(struct slice);
	if (field->type == SCHEMA_PAIRS)
		return sizeof(struct conf_pair);
	return field->of->size;
}

const void *
schema_element(const struct schema_field *field, struct schema_array array,
    size_t i)
{
	return (const char *)array.v + i * schema_element_size(field);
}

bool
schema_is_zero(const struct schema_field *field, const void *of)
{
	static const char zeros[sizeof(struct slice)];
	const struct schema_scalar *scalar = schema_scalar(field->type);
	const void *p = schema_member(field, of);

	if (field->type == SCHEMA_STRING)
		return ((const struct slice *)p)->n == 0;
	if (scalar)
		return memcmp(p, zeros, scalar->size) == 0;
	if (field->type == SCHEMA_STRUCT)
		return schema_struct_get(field, of) == NULL;
	return schema_array_get(field, of).n == 0;
}

/* Is the list the words of text? */
static bool
are_words(const struct conf_strings *strings, struct slice text)
{
	struct slice word;

	for (size_t i = 0; i < strings->n; i++)
		if (!slice_next(&text, ' ', &word) ||
		    !slice_eq(word, strings->v[i]))
			return false;
	return text.n == 0;
}

bool
schema_is_default(const struct schema_field *field, const void *of)
{
	union {
		double number;
		int64_t integer;
		struct slice text;
	} def = { .text = SLICE_NULL };
	const void *value = schema_member(field, of);

	if (!field->def)
		return false;
	if (field->type == SCHEMA_STRINGS)
		return are_words(value, slice_str(field->def));
	if (field->type == SCHEMA_STRING)
		return slice_is(*(const struct slice *)value, field->def);
	schema_scalar(field->type)->parse(slice_str(field->def), &def);
	return memcmp(value, &def, schema_scalar(field->type)->size) == 0;
}
