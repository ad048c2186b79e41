/* A linear adaptive echo filter for sound at 16 kHz. */

#ifndef INTERCOM_MDF_H
#define INTERCOM_MDF_H

#include <stddef.h>
#include <stdint.h>

/* Samples of a block, 10 ms; and the filter's length in blocks: the TAIL_MS of `echo/linear.py`. */
enum { MDF_BLOCK = 160, MDF_PARTITIONS = 26 };

struct mdf;

/* Return a filter that knows no echo path yet; NULL without memory. */
struct mdf *mdf_create(void);
void mdf_free(struct mdf *mdf);

/* Write the near samples without the echo that the filter predicts from the far ones: so many blocks. */
void mdf_process(struct mdf *mdf, const int16_t *near, const int16_t *far, int16_t *left, size_t blocks);

/* Forget the echo path. */
void mdf_reset(struct mdf *mdf);

#endif
