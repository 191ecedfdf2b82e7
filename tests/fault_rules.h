/* Which calls of a disk with faults are struck, by the rules that its environment has. See
 * faults.c. */
#ifndef PASTREAM_FAULT_RULES_H
#define PASTREAM_FAULT_RULES_H

enum call {
    OPEN,
    CLOSE,
    READ,
    PREAD,
    WRITE,
    PWRITE,
    LSEEK,
    FTRUNCATE,
    FSYNC,
    FDATASYNC,
    FSTAT,
    STAT,
    FSTATVFS,
    STATVFS,
    RENAME,
    UNLINK,
    DUP,
    FCNTL,
    FLOCK,
    MKDIR,
    THREAD, /* no call of a disk, but refused in the same way: pthread_create, wherever it is called
             */
    CALLS
};

/* Nobody else in the process sees these names. */
#define HIDDEN __attribute__((visibility("hidden")))

/* The folder whose files the rules are about; NULL: there is none. */
extern const char *faulty_folder HIDDEN;
extern int rule_count HIDDEN;

/* Reads the environment. Called again in a fork that is to have rules of its own. */
void read_rules(void);

/* Returns what a call is to fail with, after it has hung where it is to; 0 where it is to go on.
 * `end` is where the file would end by it, -1 for what is not written. */
int struck(enum call call, const char *path, long long end) HIDDEN;

#endif
