/* SPDX-License-Identifier: ISC */
/* imapd/subscriptions and special: files of other servers, and of ours. Every name is a folder's name and no path; one more and
 * one less leave the others. The first byte says which file it is. */
#include "imapd/folderlist.h"
#include "tests/fuzz/fuzz_folder.h"

#define ADDED ".Added here"

static void check_name(const char *folder)
{
    size_t n = strlen(folder);
    require(n > 0 && folder[0] == '.' && strchr(folder, '\n') == NULL);
}

/* All names, one a line. */
static void gather(void *ctx, const char *folder)
{
    stralloc *names = ctx;
    check_name(folder);
    require(strchr(folder, '/') == NULL);
    str_cats(names, folder);
    str_catc(names, '\n');
}

static void gather_others(void *ctx, const char *folder)
{
    if (strcmp(folder, ADDED) != 0) {
        gather(ctx, folder);
    }
}

static void read_names(int root, stralloc *names, void (*each)(void *ctx, const char *folder))
{
    names->len = 0;
    require(subscriptions_each(root, each, names) == 0);
}

static void try_subscriptions(int root, size_t size)
{
    stralloc before = STRALLOC_ZERO;
    stralloc after = STRALLOC_ZERO;
    read_names(root, &before, gather_others);
    require(before.len <= 4 * size + 4); /* Courier's names grow from UTF-8 to UTF-7 */
    require(subscriptions_set(root, ADDED, true) == 0);
    read_names(root, &after, gather);
    require(after.len >= before.len + sizeof ADDED && memmem(after.s, after.len, ADDED "\n", sizeof ADDED) != NULL);
    require(subscriptions_set(root, ADDED, false) == 0);
    read_names(root, &after, gather);
    require(fuzz_equal(before.s, before.len, after.s, after.len));
    stralloc_free(&before);
    stralloc_free(&after);
}

static void each_special(void *ctx, const char *folder, enum special special)
{
    unsigned *n = ctx;
    check_name(folder);
    require(special > SPECIAL_NONE && special < SPECIAL_COUNT);
    require(special_of((struct slice){special_name(special), strlen(special_name(special))}) == special);
    n[special] += strcmp(folder, ADDED) == 0;
}

static void try_special(int root)
{
    unsigned n[SPECIAL_COUNT] = {0};
    unsigned later[SPECIAL_COUNT] = {0};
    require(special_each(root, each_special, n) == 0);
    int result = special_set(root, ADDED, SPECIAL_SENT, NULL);
    require(special_each(root, each_special, later) == 0);
    require(result < 0 ? memcmp(n, later, sizeof n) == 0 : later[SPECIAL_SENT] == 1);
    require(special_set(root, ADDED, SPECIAL_NONE, NULL) == 0);
    memset(later, 0, sizeof later);
    require(special_each(root, each_special, later) == 0 && later[SPECIAL_SENT] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"subscriptions", "courierimapsubscribed", "stafet-special"};
    if (size == 0) {
        return 0;
    }
    int root = fuzz_folder();
    size_t which = data[0] % 3;
    for (size_t i = 0; i < 3; i++) {
        (void)unlinkat(root, names[i], 0);
    }
    fuzz_put_file(root, names[which], (const char *)data + 1, size - 1);
    if (which == 2) {
        try_special(root);
    } else {
        try_subscriptions(root, size);
    }
    return 0;
}
