/* Room on the disk for what is yet to be written to a file. */
#include <errno.h>
#include <fcntl.h>

#include "_output_file.h"

int file_reserve(int descriptor, int64_t begin, int64_t bytes) {
#ifdef FALLOC_FL_KEEP_SIZE
    int result;
    do
        result = fallocate(descriptor, FALLOC_FL_KEEP_SIZE, begin, bytes);
    while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : errno;
#else
    (void)descriptor, (void)begin, (void)bytes;
    return ENOTSUP;
#endif
}
