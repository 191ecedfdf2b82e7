/* A disk with faults, for tests: put before a program by LD_PRELOAD, it holds up or refuses what
 * the program writes to files of one folder. See faults.py. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int has_stalled;
static int is_gone;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static double setting(const char *name, double otherwise) {
    const char *value = getenv(name);
    return value ? atof(value) : otherwise;
}

static int is_faulty(int descriptor) {
    const char *folder = getenv("FAULTY_FOLDER");
    char link[64];
    char path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    if (!folder || length < 0)
        return 0;
    path[length] = '\0';
    return strncmp(path, folder, strlen(folder)) == 0;
}

/* Sleeps once where a stall is due, and returns whether the bytes are refused. */
static int refuses(int descriptor, size_t bytes) {
    const double end = (double)lseek(descriptor, 0, SEEK_CUR) + (double)bytes;
    pthread_mutex_lock(&lock);
    const int is_refused = is_gone || end > setting("FAULTY_REFUSE_AFTER", 1e18);
    is_gone |= is_refused && setting("FAULTY_GONE", 0) > 0;
    const double seconds = setting("FAULTY_STALL_SECONDS", 0);
    const int stalls = !has_stalled && end > setting("FAULTY_STALL_AFTER", 1e18);
    has_stalled |= stalls;
    pthread_mutex_unlock(&lock);
    if (stalls) {
        struct timespec left = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
        while (nanosleep(&left, &left) != 0 && errno == EINTR)
            ;
    }
    return is_refused;
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "write");
    if (is_faulty(descriptor) && refuses(descriptor, count)) {
        errno = EIO;
        return -1;
    }
    return real(descriptor, bytes, count);
}

int fsync(int descriptor) {
    static int (*real)(int);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "fsync");
    if (is_faulty(descriptor) && setting("FAULTY_REFUSE_SYNC", 0) > 0) {
        errno = EIO;
        return -1;
    }
    return real(descriptor);
}
