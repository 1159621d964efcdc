/* name - domain names. */
#include "dns/name.h"

#include "base/scan.h"

static bool
is_label(struct slice label)
{
	if (label.n == 0 || label.n > DNS_LABEL_MAX)
		return false;
	for (size_t i = 0; i < label.n; i++)
		if (!scan_print[(unsigned char)label.p[i]])
			return false;
	return true;
}

/* RFC 1123, 2.1: letters, digits, and hyphens inside. */
static bool
is_host_label(struct slice label)
{
	if (!is_label(label) || label.p[0] == '-' ||
	    label.p[label.n - 1] == '-')
		return false;
	for (size_t i = 0; i < label.n; i++)
		if (!scan_alnum[(unsigned char)label.p[i]] && label.p[i] != '-')
			return false;
	return true;
}

static bool
all_labels(struct slice name, bool (*check)(struct slice label))
{
	struct slice label;
	bool more;

	if (name.n == 0 || name.n > DNS_NAME_MAX)
		return false;
	do {
		more = slice_cut(name, '.', &label, &name);
		if (!check(label))
			return false;
	} while (more);
	return true;
}

bool
dns_name_valid(struct slice name)
{
	return all_labels(name, is_label);
}

bool
dns_name_is_host(struct slice name)
{
	return all_labels(name, is_host_label);
}

bool
dns_name_eq(struct slice a, struct slice b)
{
	return slice_eqi(a, b);
}

bool
dns_name_within(struct slice name, struct slice parent)
{
	if (name.n == parent.n)
		return slice_eqi(name, parent);
	return name.n > parent.n && slice_endsi(name, parent) &&
	    name.p[name.n - parent.n - 1] == '.';
}

bool
dns_name_parent(struct slice name, struct slice *parent_r)
{
	struct slice first;

	return slice_cut(name, '.', &first, parent_r);
}

size_t
dns_name_labels(struct slice name)
{
	size_t n = name.n > 0;

	for (size_t i = 0; i < name.n; i++)
		n += name.p[i] == '.';
	return n;
}
