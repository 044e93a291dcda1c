/* SPDX-License-Identifier: ISC */
/* Making names and bytes survive a power cut: the only place that knows the order of fsync and rename (CONTRACTS section 3).
 * A failed fsync is never retried: the caller unlinks and reports "not now". All return 0, or -1 with errno; on -1 the target
 * name is gone (publish) or still the old file (replace). */
#ifndef DURABLE_H
#define DURABLE_H

/* Step 2b: fsync(fd), renameat2(NOREPLACE), fsync of the target folder (to_dir: an open descriptor of it). errno EEXIST: nothing
 * done. */
int durable_publish(int fd, int from_dir, const char *from, int to_dir, const char *to) __attribute__((warn_unused_result));
/* Step 2a, ext4 and XFS only: renameat2(NOREPLACE), then fsync(fd). to_dir may be O_PATH. */
int durable_publish_late(int fd, int from_dir, const char *from, int to_dir, const char *to) __attribute__((warn_unused_result));
/* Step 6 with last=1: fsync(fd), renameat2(NOREPLACE); the folder is not synced. */
int durable_publish_ordered(int fd, int from_dir, const char *from, int to_dir, const char *to)
    __attribute__((warn_unused_result));
/* A whole new version of a file: fsync(fd) of `from`, rename over `to` in the same folder, fsync of the folder. */
int durable_replace(int fd, int dir, const char *from, const char *to) __attribute__((warn_unused_result));
/* fsync of a folder by name; 0, -1. */
int durable_sync_folder(int dir_at, const char *name) __attribute__((warn_unused_result));

#endif
