/* host_sign - how a domain's mail is signed. */
#include "host/host_sign.h"

#include "text/idna.h"

const struct conf_domain *
host_sign_domain(const struct domains_conf *conf, struct arena *arena,
    struct slice name)
{
	struct slice want, have;

	if (idna_ascii(arena, name, &want, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < conf->domains.n; i++)
		if (idna_ascii(arena, conf->domains.v[i].name, &have, NULL) ==
			0 &&
		    slice_eq(want, have))
			return &conf->domains.v[i];
	return NULL;
}

static const struct conf_selector *
find_selector(const struct conf_dkim *dkim, struct slice name)
{
	for (size_t i = 0; i < dkim->selectors.n; i++)
		if (slice_eqi(dkim->selectors.v[i].name, name))
			return &dkim->selectors.v[i];
	return NULL;
}

static int
load_signer(const struct config *config, const struct conf_selector *c,
    struct arena *arena, struct dkim_signer *s, struct dkim_key **key_r,
    struct err *e)
{
	s->hash = slice_isi(c->hash, "sha1") ? SHA_1 : SHA_256;
	s->headers = c->headers.v;
	s->headers_n = c->headers.n;
	s->seal = !c->dont_seal_headers;
	s->expire_s = c->expiration / SCHEMA_SECOND;
	if (c->canonicalization != NULL) {
		s->header_relaxed = c->canonicalization->header_relaxed;
		s->body_relaxed = c->canonicalization->body_relaxed;
	}
	if (idna_ascii(arena, c->name, &s->selector, e) < 0)
		return -1;
	*key_r =
	    dkim_key_load(config_file(config, arena, c->private_key_file), e);
	s->key = *key_r;
	return s->key == NULL ? -1 : 0;
}

int
host_signers_load(const struct config *config, const struct conf_domain *domain,
    struct slice local, struct arena *arena, struct host_signers *signers_r,
    struct err *e)
{
	const struct conf_dkim *dkim = domain->dkim;
	struct slice ascii, identity = SLICE_NULL;

	*signers_r = (struct host_signers){ .v = NULL };
	if (dkim == NULL)
		return 0;
	if (idna_ascii(arena, domain->name, &ascii, e) < 0)
		return -1;
	if (local.n > 0)
		identity = arena_printf(arena, "%.*s@%.*s", SLICE_FMT(local),
		    SLICE_FMT(ascii));
	signers_r->v = arena_array(arena, dkim->sign.n, sizeof(*signers_r->v));
	signers_r->keys =
	    arena_array(arena, dkim->sign.n, sizeof(*signers_r->keys));
	for (size_t i = 0; i < dkim->sign.n; i++) {
		const struct conf_selector *c =
		    find_selector(dkim, dkim->sign.v[i]);
		struct dkim_signer *s = &signers_r->v[i];

		if (c == NULL) /* checked when it was loaded */
			return err_set(e, ERR_PERM, "dkim: no selector %.*s",
			    SLICE_FMT(dkim->sign.v[i]));
		s->domain = ascii;
		s->identity = identity;
		if (load_signer(config, c, arena, s, &signers_r->keys[i], e) <
		    0)
			return -1;
		signers_r->n++;
	}
	return 0;
}

void
host_signers_free(struct host_signers *signers)
{
	for (size_t i = 0; i < signers->n; i++)
		dkim_key_free(&signers->keys[i]);
	signers->n = 0;
}
