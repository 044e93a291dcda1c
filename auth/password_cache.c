/* SPDX-License-Identifier: ISC */
/* A table of digests, four places for each. Members write it without a lock: half of one entry and half of another is a digest of
 * nothing. Times are an attacker's to measure only for a password that he knows already. */
#include "auth/password_cache.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/types.h>
#include <skalibs/sha256.h>

#include "auth/password.h"
#include "lib/die.h"

enum { DIGEST = 32, KEPT = 28, PLACES = 4 };

struct entry {
    char digest[KEPT];
    uint32_t at; /* second; 0: empty */
};
struct cache {
    char secret[DIGEST];
    struct entry entries[PASSWORD_CACHE_ENTRIES];
};
static struct cache *cache;

void password_cache_start(void)
{
    cache = mmap(NULL, sizeof *cache, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (cache == MAP_FAILED || getrandom(cache->secret, sizeof cache->secret, 0) != (ssize_t)sizeof cache->secret) {
        die_temporary("passwords cannot be remembered: %s", strerror(errno));
    }
    (void)madvise(cache, sizeof *cache, MADV_DONTDUMP);
}

static void digest(const char *stored, const char *given, char out[DIGEST])
{
    SHA256Schedule schedule;
    sha256_init(&schedule);
    sha256_update(&schedule, cache->secret, sizeof cache->secret);
    sha256_update(&schedule, stored, strlen(stored) + 1); /* the NUL parts the two */
    sha256_update(&schedule, given, strlen(given));
    sha256_final(&schedule, out);
    password_wipe(&schedule, sizeof schedule);
}

/* The four places of a digest. */
static struct entry *places(const char out[DIGEST])
{
    uint32_t number;
    memcpy(&number, out + KEPT, sizeof number);
    return &cache->entries[(size_t)(number % (PASSWORD_CACHE_ENTRIES / PLACES)) * PLACES];
}

static uint32_t seconds_of(uint64_t now_ms)
{
    return (uint32_t)(now_ms / 1000) + 1;
}

bool password_cache_knows(const char *stored, const char *given, uint64_t seconds, uint64_t now_ms)
{
    char wanted[DIGEST];
    bool is_known = false;
    if (cache == NULL || seconds == 0) {
        return false;
    }
    digest(stored, given, wanted);
    const struct entry *place = places(wanted);
    for (int i = 0; i < PLACES; i++) {
        uint32_t at = place[i].at;
        is_known = is_known || (at != 0 && seconds_of(now_ms) - at < seconds && memcmp(place[i].digest, wanted, KEPT) == 0);
    }
    return is_known;
}

void password_cache_learn(const char *stored, const char *given, uint64_t now_ms)
{
    char learnt[DIGEST];
    if (cache == NULL) {
        return;
    }
    digest(stored, given, learnt);
    struct entry *place = places(learnt), *chosen = place;
    for (int i = 1; i < PLACES; i++) {
        chosen = place[i].at < chosen->at ? &place[i] : chosen;
    }
    for (int i = 0; i < PLACES; i++) {
        chosen = memcmp(place[i].digest, learnt, KEPT) == 0 ? &place[i] : chosen;
    }
    memcpy(chosen->digest, learnt, KEPT);
    chosen->at = seconds_of(now_ms);
}
