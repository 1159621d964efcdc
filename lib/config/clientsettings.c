#include "config/clientsettings.h"

#include <stdlib.h>

#include "text/idna.h"

/* Each listener may have all four services. */
#define KINDS 4

static struct slice
host_of(const struct config *config, const struct conf_domain *domain,
    const struct conf_listener *listener, struct arena *arena)
{
	struct slice ascii;

	if (domain && domain->client_settings_domain.n > 0 &&
	    idna_ascii(arena, domain->client_settings_domain, &ascii, NULL) ==
		0)
		return ascii;
	return config_listener_hostname(config, listener, arena);
}

static enum clientsettings_tls
tls_of(const struct conf_listener *listener,
    const struct conf_starttls_service *service)
{
	if (!listener->tls)
		return CLIENT_PLAIN;
	return service->no_require_starttls ? CLIENT_STARTTLS_OPTIONAL
					    : CLIENT_STARTTLS_REQUIRED;
}

static void
add(struct clientsettings *all, struct clientsetting s, bool enabled)
{
	if (enabled)
		all->v[all->n++] = s;
}

static void
add_listener(struct clientsettings *all, const struct conf_listener *l,
    struct slice host)
{
	struct clientsetting s = { .host = host, .listener = l->name };

	s.imap = true;
	if (l->imaps) {
		s.port = l->imaps->port;
		s.tls = CLIENT_TLS;
		add(all, s, l->imaps->enabled);
	}
	if (l->imap) {
		s.port = l->imap->port;
		s.tls = tls_of(l, l->imap);
		add(all, s, l->imap->enabled);
	}
	s.imap = false;
	if (l->submissions) {
		s.port = l->submissions->port;
		s.tls = CLIENT_TLS;
		add(all, s, l->submissions->enabled);
	}
	if (l->submission) {
		s.port = l->submission->port;
		s.tls = tls_of(l, l->submission);
		add(all, s, l->submission->enabled);
	}
}

/* IMAP, TLS, listener "public", listeners by name. */
static int
compare(const void *a, const void *b)
{
	const struct clientsetting *x = a, *y = b;
	bool x_tls = x->tls == CLIENT_TLS, y_tls = y->tls == CLIENT_TLS;
	bool x_public = slice_is(x->listener, "public");
	bool y_public = slice_is(y->listener, "public");

	if (x->imap != y->imap)
		return x->imap ? -1 : 1;
	if (x_public != y_public)
		return x_public ? -1 : 1;
	if (x_tls != y_tls)
		return x_tls ? -1 : 1;
	return slice_cmp(x->listener, y->listener);
}

struct clientsettings
clientsettings_make(const struct config *config,
    const struct conf_domain *domain, struct arena *arena)
{
	const struct conf_listeners *listeners = &config->mox.listeners;
	struct clientsettings all = { NULL, 0 };

	all.v = arena_array(arena, KINDS * listeners->n, sizeof(*all.v));
	for (size_t i = 0; i < listeners->n; i++)
		add_listener(&all, &listeners->v[i],
		    host_of(config, domain, &listeners->v[i], arena));
	qsort(all.v, all.n, sizeof(*all.v), compare);
	return all;
}

const char *
clientsettings_protocol(const struct clientsetting *s)
{
	return s->imap ? "IMAP" : "Submission (SMTP)";
}

const char *
clientsettings_note(const struct clientsetting *s)
{
	static const char *const notes[] = {
		[CLIENT_TLS] = "with TLS",
		[CLIENT_STARTTLS_REQUIRED] = "with STARTTLS required",
		[CLIENT_STARTTLS_OPTIONAL] = "with STARTTLS optional",
		[CLIENT_PLAIN] = "plain text, no STARTTLS configured",
	};

	return notes[s->tls];
}
