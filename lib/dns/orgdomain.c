/* orgdomain - organizational domains through libpsl. */
#include "dns/orgdomain.h"

#include <libpsl.h>

#include "dns/name.h"

/* A name in lower case, as libpsl wants it. */
struct lowered {
	char text[DNS_NAME_MAX + 1];
};

static bool
lower(struct slice name, struct lowered *l)
{
	if (!dns_name_valid(name) ||
	    !slice_cstr(name, l->text, DNS_NAME_MAX + 1))
		return false;
	for (char *p = l->text; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	return true;
}

bool
dns_is_public_suffix(struct slice name)
{
	struct lowered l;

	return lower(name, &l) && psl_is_public_suffix(psl_builtin(), l.text);
}

struct slice
dns_orgdomain(struct slice name)
{
	struct lowered l;
	const char *domain;

	if (!lower(name, &l))
		return name;
	domain = psl_registrable_domain(psl_builtin(), l.text);
	/* It is the end of the text it was given. */
	return domain == NULL ? name
			      : slice_skip(name, (size_t)(domain - l.text));
}

bool
dns_same_org(struct slice a, struct slice b)
{
	return dns_name_eq(dns_orgdomain(a), dns_orgdomain(b));
}
