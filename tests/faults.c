/* A disk with faults, for tests: put before a program by LD_PRELOAD, it refuses or holds up what
 * the program, and the libraries in it, ask of the files in one folder. See faults.py. The
 * rules that say which are in fault_rules.c. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fault_rules.h"

/* The function that would have been called without this library. A file is in one of the C
 * library's versions of old where it was linked against an old one. */
static void *real_function(const char *name) {
    void *function = dlsym(RTLD_NEXT, name);
    return function ? function : dlvsym(RTLD_NEXT, name, "GLIBC_2.2.5");
}

#define REAL(name)                                                                                 \
    static __typeof__(&name) real;                                                                 \
    if (!real)                                                                                     \
    *(void **)&real = real_function(#name)

/* ---- which files ---- */

static int is_in_folder(const char *path) {
    const size_t length = faulty_folder ? strlen(faulty_folder) : 0;
    return length && !strncmp(path, faulty_folder, length) &&
           (path[length] == '/' || path[length] == '\0');
}

/* Returns the path of an open file if it is in the folder, else NULL. */
static const char *path_of(int descriptor, char path[PATH_MAX]) {
    if (!rule_count)
        return NULL;
    const int before = errno;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const ssize_t length = syscall(SYS_readlink, link, path, PATH_MAX - 1);
    errno = before;
    if (length < 0)
        return NULL;
    path[length] = '\0';
    return is_in_folder(path) ? path : NULL;
}

/* The same for a name: relative to a folder, or one of those that stand for a descriptor. */
static const char *path_at(int folder_descriptor, const char *name, char path[PATH_MAX]) {
    if (!rule_count || !name)
        return NULL;
    int descriptor;
    if (sscanf(name, "/dev/fd/%d", &descriptor) == 1 ||
        sscanf(name, "/proc/self/fd/%d", &descriptor) == 1)
        return path_of(descriptor, path);
    if (name[0] == '/') {
        snprintf(path, PATH_MAX, "%s", name);
        return is_in_folder(path) ? path : NULL;
    }
    char link[64] = "/proc/self/cwd";
    if (folder_descriptor != AT_FDCWD)
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder_descriptor);
    const int before = errno;
    const ssize_t length = syscall(SYS_readlink, link, path, PATH_MAX - 1);
    errno = before;
    if (length < 0)
        return NULL;
    snprintf(path + length, (size_t)(PATH_MAX - length), "/%s", name);
    return is_in_folder(path) ? path : NULL;
}

static int fails(enum call call, int descriptor, long long end) {
    char buffer[PATH_MAX];
    const char *path = path_of(descriptor, buffer);
    const int error = path ? struck(call, path, end) : 0;
    if (error)
        errno = error;
    return error;
}

static int fails_at(enum call call, int folder_descriptor, const char *name) {
    char buffer[PATH_MAX];
    const char *path = path_at(folder_descriptor, name, buffer);
    const int error = path ? struck(call, path, -1) : 0;
    if (error)
        errno = error;
    return error;
}

/* Where the file would end by so many bytes at the descriptor's place. */
static long long end_of(int descriptor, size_t bytes) {
    const int before = errno;
    const long place = syscall(SYS_lseek, descriptor, 0L, SEEK_CUR);
    errno = before;
    return place < 0 ? (long long)bytes : place + (long long)bytes;
}

/* ---- the calls; each also by the names that it has in large files and in hardened programs ----
 */

#define OPENS(name)                                                                                \
    int name(const char *path, int flags, ...) {                                                   \
        REAL(name);                                                                                \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        const mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0;            \
        va_end(more);                                                                              \
        return fails_at(OPEN, AT_FDCWD, path) ? -1 : real(path, flags, mode);                      \
    }
OPENS(open)
OPENS(open64)

#define OPENS_AT(name)                                                                             \
    int name(int at, const char *path, int flags, ...) {                                           \
        REAL(name);                                                                                \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        const mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0;            \
        va_end(more);                                                                              \
        return fails_at(OPEN, at, path) ? -1 : real(at, path, flags, mode);                        \
    }
OPENS_AT(openat)
OPENS_AT(openat64)

/* Every function here returns -1 where it fails. */
#define BY_DESCRIPTOR(call, type, name, parameters, arguments, end)                                \
    type name parameters;                                                                          \
    type name parameters {                                                                         \
        REAL(name);                                                                                \
        return fails(call, descriptor, end) ? (type)-1 : real arguments;                           \
    }
#define BY_NAME(call, name, parameters, arguments, at, path)                                       \
    int name parameters;                                                                           \
    int name parameters {                                                                          \
        REAL(name);                                                                                \
        return fails_at(call, at, path) ? -1 : real arguments;                                     \
    }

BY_NAME(OPEN, __open_2, (const char *path, int flags), (path, flags), AT_FDCWD, path)
BY_NAME(OPEN, __open64_2, (const char *path, int flags), (path, flags), AT_FDCWD, path)

BY_DESCRIPTOR(READ, ssize_t, read, (int descriptor, void *bytes, size_t count),
              (descriptor, bytes, count), -1)
BY_DESCRIPTOR(PREAD, ssize_t, pread, (int descriptor, void *bytes, size_t count, off_t place),
              (descriptor, bytes, count, place), -1)
BY_DESCRIPTOR(PREAD, ssize_t, pread64, (int descriptor, void *bytes, size_t count, off64_t place),
              (descriptor, bytes, count, place), -1)
BY_DESCRIPTOR(WRITE, ssize_t, write, (int descriptor, const void *bytes, size_t count),
              (descriptor, bytes, count), end_of(descriptor, count))
BY_DESCRIPTOR(PWRITE, ssize_t, pwrite,
              (int descriptor, const void *bytes, size_t count, off_t place),
              (descriptor, bytes, count, place), place + (long long)count)
BY_DESCRIPTOR(PWRITE, ssize_t, pwrite64,
              (int descriptor, const void *bytes, size_t count, off64_t place),
              (descriptor, bytes, count, place), place + (long long)count)
BY_DESCRIPTOR(FTRUNCATE, int, ftruncate, (int descriptor, off_t size), (descriptor, size), -1)
BY_DESCRIPTOR(FTRUNCATE, int, ftruncate64, (int descriptor, off64_t size), (descriptor, size), -1)
BY_DESCRIPTOR(FSYNC, int, fsync, (int descriptor), (descriptor), -1)
BY_DESCRIPTOR(FDATASYNC, int, fdatasync, (int descriptor), (descriptor), -1)
BY_DESCRIPTOR(FSTAT, int, fstat, (int descriptor, struct stat *status), (descriptor, status), -1)
BY_DESCRIPTOR(FSTAT, int, fstat64, (int descriptor, struct stat64 *status), (descriptor, status),
              -1)
BY_DESCRIPTOR(FSTAT, int, __fxstat, (int version, int descriptor, struct stat *status),
              (version, descriptor, status), -1)
BY_DESCRIPTOR(FSTAT, int, __fxstat64, (int version, int descriptor, struct stat64 *status),
              (version, descriptor, status), -1)
BY_DESCRIPTOR(FSTATVFS, int, fstatvfs, (int descriptor, struct statvfs *status),
              (descriptor, status), -1)
BY_DESCRIPTOR(FSTATVFS, int, fstatvfs64, (int descriptor, struct statvfs64 *status),
              (descriptor, status), -1)
BY_DESCRIPTOR(DUP, int, dup, (int descriptor), (descriptor), -1)
BY_DESCRIPTOR(DUP, int, dup2, (int descriptor, int other), (descriptor, other), -1)
BY_DESCRIPTOR(DUP, int, dup3, (int descriptor, int other, int flags), (descriptor, other, flags),
              -1)
BY_DESCRIPTOR(FLOCK, int, flock, (int descriptor, int operation), (descriptor, operation), -1)

BY_NAME(STAT, stat, (const char *restrict path, struct stat *restrict status), (path, status),
        AT_FDCWD, path)
BY_NAME(STAT, stat64, (const char *restrict path, struct stat64 *restrict status), (path, status),
        AT_FDCWD, path)
BY_NAME(STAT, lstat, (const char *restrict path, struct stat *restrict status), (path, status),
        AT_FDCWD, path)
BY_NAME(STAT, lstat64, (const char *restrict path, struct stat64 *restrict status), (path, status),
        AT_FDCWD, path)
BY_NAME(STAT, fstatat, (int at, const char *restrict path, struct stat *restrict status, int flags),
        (at, path, status, flags), at, path)
BY_NAME(STAT, fstatat64,
        (int at, const char *restrict path, struct stat64 *restrict status, int flags),
        (at, path, status, flags), at, path)
BY_NAME(STATVFS, statvfs, (const char *restrict path, struct statvfs *restrict status),
        (path, status), AT_FDCWD, path)
BY_NAME(STATVFS, statvfs64, (const char *restrict path, struct statvfs64 *restrict status),
        (path, status), AT_FDCWD, path)
BY_NAME(RENAME, rename, (const char *path, const char *to), (path, to), AT_FDCWD, path)
BY_NAME(RENAME, renameat, (int at, const char *path, int to_at, const char *to),
        (at, path, to_at, to), at, path)
BY_NAME(RENAME, renameat2,
        (int at, const char *path, int to_at, const char *to, unsigned int flags),
        (at, path, to_at, to, flags), at, path)
BY_NAME(RENAME, link, (const char *path, const char *to), (path, to), AT_FDCWD, path)
BY_NAME(RENAME, linkat, (int at, const char *path, int to_at, const char *to, int flags),
        (at, path, to_at, to, flags), at, path)
BY_NAME(UNLINK, unlink, (const char *path), (path), AT_FDCWD, path)
BY_NAME(UNLINK, unlinkat, (int at, const char *path, int flags), (at, path, flags), at, path)
BY_NAME(MKDIR, mkdir, (const char *path, mode_t mode), (path, mode), AT_FDCWD, path)
BY_NAME(MKDIR, mkdirat, (int at, const char *path, mode_t mode), (at, path, mode), at, path)

/* Whatever it says, the descriptor is free then. */
int close(int descriptor) {
    REAL(close);
    const int error = fails(CLOSE, descriptor, -1);
    const int result = real(descriptor);
    if (!error)
        return result;
    errno = error;
    return -1;
}

/* Where it is told how far from the beginning, or from the present place, no disk is asked. */
#define SEEKS(name, type)                                                                          \
    type name(int descriptor, type place, int from) {                                              \
        REAL(name);                                                                                \
        if (from != SEEK_SET && from != SEEK_CUR && fails(LSEEK, descriptor, -1))                  \
            return -1;                                                                             \
        return real(descriptor, place, from);                                                      \
    }
SEEKS(lseek, off_t)
SEEKS(lseek64, off64_t)

#define CONTROLS(name)                                                                             \
    int name(int descriptor, int command, ...) {                                                   \
        REAL(name);                                                                                \
        va_list more;                                                                              \
        va_start(more, command);                                                                   \
        void *argument = va_arg(more, void *);                                                     \
        va_end(more);                                                                              \
        return fails(FCNTL, descriptor, -1) ? -1 : real(descriptor, command, argument);            \
    }
CONTROLS(fcntl)
CONTROLS(fcntl64)

int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes,
                   void *(*start)(void *), void *restrict argument) {
    REAL(pthread_create);
    const int error = rule_count ? struck(THREAD, "", -1) : 0;
    return error ? error : real(thread, attributes, start, argument);
}
