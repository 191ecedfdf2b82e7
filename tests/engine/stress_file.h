/* A sound file in memory behind libsndfile's functions: slow or failing where it is asked to be.
 *
 * Read, it gives the signal that counts. Written, it keeps every sample.
 */
#ifndef STRESS_FILE_H
#define STRESS_FILE_H

#include <stdint.h>

#include "_engine.h"
#include "stress.h"

enum { FAKE_ERROR = 7 };

struct fake_file {
    int file_sample;
    int channels;
    int bits;               /* of the signal, where it is read */
    int64_t frames;         /* to be read, or written so far */
    int64_t position;       /* of reading */
    int64_t fails_at;       /* frame; -1: never */
    int takes_all;          /* fails like a lossy encoder: takes every frame and leaves an error */
    int64_t slow_one_in;    /* calls; 0: never */
    struct random random;   /* for its slowness */
    int error;              /* libsndfile's code */
    int64_t header_updates; /* commands it got */
    void *samples;          /* written; of the file's type */
    int64_t samples_fit;
};

extern const struct sndfile_functions fake_functions;

int random_file_sample(struct random *r);
/* A width that integers in a file of that type may have; 0 for float. */
int random_file_bits(struct random *r, int file_sample);

struct fake_file *fake_file_new(int file_sample, int channels, struct random random);
void fake_file_free(struct fake_file *f);

#endif
